# bugon: a thin front end for Meson.
BUILD ?= build
PREFIX ?= /usr/local

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix=$(PREFIX)

# Everything that building and testing needs, on Debian 12 (and derivatives).
deps:
	@tools/install-deps.sh

check: all
	@meson test -C $(BUILD) --no-rebuild --print-errorlogs

bench: all
	@meson test -C $(BUILD) --no-rebuild --benchmark --verbose

install: all
	@meson install -C $(BUILD) --no-rebuild

format:
	@clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	@rm -rf $(BUILD)

.PHONY: all deps check bench install format clean
