/*
 * sanitizer - whether this is a build with AddressSanitizer, which needs more
 * address space and more rights than a renderer should have.
 */
#ifndef RENDERER_SANITIZER_H
#define RENDERER_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef HAS_ADDRESS_SANITIZER
#define HAS_ADDRESS_SANITIZER 0
#endif

#endif
