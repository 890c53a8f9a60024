static long syz_create_resource(long value)
{
	return value;
}
