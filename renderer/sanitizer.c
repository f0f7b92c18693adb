/*
 * sanitizer - leaks that are not ours to mend.
 */
#include "renderer/sanitizer.h"

#if HAS_ADDRESS_SANITIZER

const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	/* The values of an XML document's entities, when they are found to explode; and
	 * fonts, which are kept for the life of the process. */
	return "leak:xmlParseEntityValue\nleak:libfontconfig\n";
}

#endif
