#include "recipe/overlay.h"

void
overlays_print(const struct overlays *overlays, struct text *out)
{
	(void)overlays;
	text_add_char(out, '-');
}

bool
overlays_parse(struct span text, struct overlays *overlays)
{
	*overlays = (struct overlays){ 0 };
	return span_equals(text, "-");
}

bool
caption_text_is_valid(struct span text, size_t max)
{
	return text.length > 0 && text.length <= max && span_is_utf8(text);
}
