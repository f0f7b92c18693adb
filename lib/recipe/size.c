#include "recipe/size.h"

#include <math.h>
#include <stdbool.h>

uint64_t
divide_half_up(uint64_t dividend, uint64_t divisor)
{
	return (2 * dividend + divisor) / (2 * divisor);
}

uint64_t
at_least_one(uint64_t value)
{
	return value > 0 ? value : 1;
}

uint64_t
parts_of(double decimal, unsigned parts)
{
	return (uint64_t)llround(decimal * parts);
}

struct size
size_with_width(struct size shape, uint64_t width)
{
	return (struct size){ width, at_least_one(divide_half_up(shape.height * width, shape.width)) };
}

struct size
size_with_height(struct size shape, uint64_t height)
{
	return (struct size){ at_least_one(divide_half_up(shape.width * height, shape.height)), height };
}

/* Whether the box is the wider one, for its height. */
static bool
is_wider(struct size box, struct size shape)
{
	return box.width * shape.height > box.height * shape.width;
}

struct size
size_within(struct size shape, struct size box)
{
	return is_wider(box, shape) ? size_with_height(shape, box.height) : size_with_width(shape, box.width);
}

struct size
size_around(struct size shape, struct size box)
{
	return is_wider(box, shape) ? size_with_width(shape, box.width) : size_with_height(shape, box.height);
}

struct size
size_smaller(struct size a, struct size b)
{
	return (struct size){ a.width < b.width ? a.width : b.width, a.height < b.height ? a.height : b.height };
}

struct size
size_larger(struct size a, struct size b)
{
	return (struct size){ a.width > b.width ? a.width : b.width, a.height > b.height ? a.height : b.height };
}
