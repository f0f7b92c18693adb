#include "catalog/chance.h"

#include "base/check.h"

#include <sys/random.h>

uint64_t
chance_below(uint64_t limit)
{
	uint64_t number;

	CHECK(limit > 0);
	CHECK(getrandom(&number, sizeof(number), 0) == sizeof(number));
	return number % limit;
}

uint64_t
chance_around(uint64_t value)
{
	return value - value / 5 + chance_below(2 * (value / 5) + 1);
}
