#include "image/fields.h"

bool
fields_have(VipsImage *image, const char *name)
{
	return vips_image_get_typeof(image, name) != 0;
}

struct span
fields_blob(VipsImage *image, const char *name)
{
	const void *bytes;
	size_t length;

	if (!fields_have(image, name) || vips_image_get_blob(image, name, &bytes, &length) == -1) {
		vips_error_clear();
		return (struct span){ NULL, 0 };
	}
	return span_range(bytes, length);
}

char *
fields_find(VipsImage *image, const char *prefix, const char *suffix)
{
	char **fields = vips_image_get_fields(image), *found = NULL;

	for (char **field = fields; *field != NULL && found == NULL; field++)
		if (g_str_has_prefix(*field, prefix) && g_str_has_suffix(*field, suffix))
			found = g_strdup(*field);
	g_strfreev(fields);
	return found;
}

/* heifload of 8.14.1 takes only some packets for XMP, and calls the others by
 * their place in the file: "heif-mime-1".  HEIF knows nothing else of that kind. */
struct span
fields_xmp(VipsImage *image)
{
	struct span packet = fields_blob(image, VIPS_META_XMP_NAME);
	char *other;

	if (packet.length > 0 || (other = fields_find(image, "heif-mime-", "")) == NULL)
		return packet;
	packet = fields_blob(image, other);
	g_free(other);
	return packet;
}

void
field_copy(VipsImage *image, VipsImage *from, const char *name)
{
	GValue value = G_VALUE_INIT;

	if (vips_image_get(from, name, &value) == -1) {
		vips_error_clear();
		return;
	}
	vips_image_set(image, name, &value);
	g_value_unset(&value);
}

void
fields_copy(VipsImage *image, VipsImage *from)
{
	char **fields = vips_image_get_fields(from);

	/* The first ones are of the header, and are not set like this. */
	for (char **field = fields; *field != NULL; field++)
		if (vips_image_get_typeof(image, *field) == 0)
			field_copy(image, from, *field);
	g_strfreev(fields);
}
