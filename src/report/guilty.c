/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/report.h"
struct slice report_guilty(struct slice title, struct slice text)
{
	return (struct slice){ 0 };
}
