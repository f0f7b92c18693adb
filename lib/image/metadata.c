/*
 * metadata - what of the original's words goes into the result.
 *
 * By default nothing but the credit: positions, faces, serial numbers and
 * editing histories never reach a variant.  Fields are deleted from the image one by
 * one, because webpsave's strip does nothing in 8.14.1.  A profile that icc asked
 * for and the times of an animation are no metadata, and stay.
 *
 * With strip=keep, what would be wrong of the result is put right or left out: orientation,
 * sizes, thumbnails of the whole picture.  So are the makers' own notes, whose
 * offsets do not survive being moved.  The savers of libvips 8.14 write EXIF into
 * all formats but GIF and JPEG XL, and IPTC into JPEG only; XMP goes everywhere.
 */
#include "image/credit.h"
#include "image/pipeline.h"

#include "base/text.h"
#include "image/fields.h"

#include <string.h>

/* Of each kind, so that it fits into one segment of a JPEG. */
enum { KEPT_MAX = 60000 };

/* ---- what is left out of a kept XMP packet ------------------------------------------------ */

static bool
is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Of <name ...>...</name>, with its "<", behind which `at` begins; 0: it has no end. */
static size_t
element_length(struct span at, const char *name)
{
	size_t length = strlen(name);
	const char *found = memmem(at.at, at.length, name, length), *end = at.at + at.length;

	for (found += length; (found = memmem(found, (size_t)(end - found), name, length)) != NULL; found += length)
		if (found[-1] == '/' && found[-2] == '<' && found + length < end && found[length] == '>')
			return (size_t)(found + length + 2 - at.at);
	return 0;
}

/* Of name="value"; 0: it is none. */
static size_t
attribute_length(struct span at, const char *name)
{
	size_t length = strlen(name);
	const char *end;

	if (at.length < length + 2 || at.at[length] != '=' || (at.at[length + 1] != '"' && at.at[length + 1] != '\''))
		return 0;
	end = memchr(at.at + length + 2, at.at[length + 1], at.length - length - 2);
	return end == NULL ? 0 : (size_t)(end + 1 - at.at);
}

/* A property as an element or an attribute (XMP specification part 1, 7.4 and
 * 7.9.2.2); false when there is none, or none more. */
static bool
find_property(struct span xmp, const char *name, struct span *property)
{
	const char *at = xmp.at, *end = xmp.at + xmp.length;
	size_t length = strlen(name);

	while ((at = memmem(at, (size_t)(end - at), name, length)) != NULL && at + length < end) {
		struct span rest = span_range(at, (size_t)(end - at));
		char before = at > xmp.at ? at[-1] : '\0', after = at[length];

		if (before == '<' && (after == '>' || is_space(after)))
			*property = span_range(at - 1, element_length(rest, name));
		else if (is_space(before))
			*property = span_range(at, attribute_length(rest, name));
		else
			*property = span_range(at, 0);
		if (property->length > 0)
			return true;
		at += length;
	}
	return false;
}

static struct span
without_property(struct span xmp, const char *name, struct arena *arena)
{
	struct span property;
	struct text rest;

	text_init(&rest, arena, xmp.length);
	while (find_property(xmp, name, &property)) {
		const char *after = property.at + property.length;

		text_add_bytes(&rest, xmp.at, (size_t)(property.at - xmp.at));
		xmp = span_range(after, (size_t)(xmp.at + xmp.length - after));
	}
	text_add_bytes(&rest, xmp.at, xmp.length);
	return text_span(&rest);
}

static struct span
corrected_xmp(struct span xmp, struct arena *arena)
{
	static const char *const wrong[] = {
		"tiff:ImageWidth", "tiff:ImageLength", "tiff:Orientation", "exif:PixelXDimension",
		"exif:PixelYDimension", "xmp:Thumbnails", "xap:Thumbnails",
	};

	if (xmp.length == 0 || xmp.length > KEPT_MAX)
		return (struct span){ NULL, 0 };
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		xmp = without_property(xmp, wrong[i], arena);
	return xmp;
}

/* ---- what is kept of IPTC ------------------------------------------------------------------ */

static uint32_t
number_at(struct span span, size_t at, unsigned bytes, bool is_little)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | (unsigned char)span.at[at + (is_little ? bytes - 1 - i : i)];
	return value;
}

static const char photoshop[] = "Photoshop 3.0";	/* its NUL is part of it */

/*
 * JPEG wraps IPTC in one of Photoshop's resources, and a thumbnail can be
 * another: "8BIM", number, name, size, content; name and content are padded to an even
 * length (Photoshop File Formats, "Image Resource Blocks").  TIFF has it bare.
 */
static struct span
bare_iptc(struct span blob)
{
	enum { IPTC = 0x0404, NAME_AT = 6, RESOURCE_MIN = 12 };
	struct span none = { NULL, 0 };

	if (blob.length > 0 && blob.at[0] == 0x1C)
		return blob;
	if (blob.length < sizeof(photoshop) || memcmp(blob.at, photoshop, sizeof(photoshop)) != 0)
		return none;
	for (size_t at = sizeof(photoshop); at + RESOURCE_MIN <= blob.length;) {
		size_t size_at = at + NAME_AT + (((unsigned char)blob.at[at + NAME_AT] + 2U) & ~1U);
		size_t size;

		if (memcmp(blob.at + at, "8BIM", 4) != 0 || size_at + 4 > blob.length)
			return none;
		size = number_at(blob, size_at, 4, false);
		if (size > blob.length - size_at - 4)
			return none;
		if (number_at(blob, at + 4, 2, false) == IPTC)
			return span_range(blob.at + size_at + 4, size);
		at = size_at + 4 + size + (size & 1);
	}
	return none;
}

static struct span
wrapped_iptc(struct span bare, struct arena *arena)
{
	enum { WRAPPING = 32 };
	struct text wrapped;

	if (bare.length == 0 || bare.length > KEPT_MAX - WRAPPING)
		return (struct span){ NULL, 0 };
	text_init(&wrapped, arena, KEPT_MAX);
	text_add_bytes(&wrapped, photoshop, sizeof(photoshop));
	text_add_bytes(&wrapped, "8BIM\x04\x04\0\0", 8);
	for (unsigned shift = 32; shift > 0; shift -= 8)
		text_add_char(&wrapped, (char)(bare.length >> (shift - 8)));
	text_add_bytes(&wrapped, bare.at, bare.length);
	if (bare.length % 2 == 1)
		text_add_char(&wrapped, '\0');
	return text_span(&wrapped);
}

/* ---- strip=keep ------------------------------------------------------------------------------ */

/* False when there is nothing, or too much. */
static bool
set_blob(VipsImage *image, const char *name, struct span bytes)
{
	bool is_set = bytes.length > 0 && bytes.length <= KEPT_MAX;

	if (is_set)
		vips_image_set_blob_copy(image, name, bytes.at, bytes.length);
	return is_set;
}

/* A directory of EXIF (TIFF 6.0 section 2): its entries, and behind them where the next one is. */
struct directory {
	size_t first;
	unsigned count;
};

enum { ENTRY_BYTES = 12, ENTRY_VALUE = 8, LINK_BYTES = 4, EXIF_DIRECTORY = 0x8769, MAKER_NOTE = 0x927C };

static bool
directory_find(struct span tiff, uint64_t at, bool is_little, struct directory *directory)
{
	if (at + 2 > tiff.length)
		return false;
	directory->first = (size_t)at + 2;
	directory->count = number_at(tiff, at, 2, is_little);
	return directory->first + (size_t)directory->count * ENTRY_BYTES + LINK_BYTES <= tiff.length;
}

/* Gives them a number that the savers do not know, and so leave out. */
static void
hide_maker_notes(char *bytes, struct span tiff, const struct directory *directory, bool is_little)
{
	for (size_t i = 0; i < directory->count; i++) {
		size_t entry = directory->first + i * ENTRY_BYTES;

		if (number_at(tiff, entry, 2, is_little) == MAKER_NOTE)
			memset(bytes + entry, 0xFF, 2);
	}
}

static void
correct_directories(char *bytes, struct span tiff, const struct directory *first, bool is_little)
{
	struct directory inner;

	hide_maker_notes(bytes, tiff, first, is_little);
	for (size_t i = 0; i < first->count; i++) {
		size_t entry = first->first + i * ENTRY_BYTES;

		if (number_at(tiff, entry, 2, is_little) == EXIF_DIRECTORY &&
		    directory_find(tiff, number_at(tiff, entry + ENTRY_VALUE, 4, is_little), is_little, &inner))
			hide_maker_notes(bytes, tiff, &inner, is_little);
	}
	memset(bytes + first->first + (size_t)first->count * ENTRY_BYTES, 0, LINK_BYTES);
}

/*
 * The second directory is about the thumbnail (EXIF 2.32 section 4.5.2): without the
 * way to it nobody finds the thumbnail, and the savers, who write anew what they
 * read, leave it out.  Deleting "jpeg-thumbnail-data" or the field of the maker's
 * note does nothing in 8.14.1.
 */
static struct span
corrected_exif(struct span exif, struct arena *arena)
{
	enum { EXIF_START = 6, FIRST_AT = 4, HEADER = 8 };
	struct span tiff, none = { NULL, 0 };
	struct directory first;
	size_t start = 0;
	bool is_little;
	char *copy;

	/* JPEG puts "Exif" and two NULs before it. */
	if (exif.length >= EXIF_START && memcmp(exif.at, "Exif\0", EXIF_START) == 0)
		start = EXIF_START;
	if (exif.length < start + HEADER || exif.length > KEPT_MAX)
		return none;
	copy = arena_copy_bytes(arena, exif.at, exif.length);
	tiff = span_range(copy + start, exif.length - start);
	is_little = tiff.at[0] == 'I';
	if (!directory_find(tiff, number_at(tiff, FIRST_AT, 4, is_little), is_little, &first))
		return none;
	correct_directories(copy + start, tiff, &first, is_little);
	return span_range(copy, exif.length);
}

/* ifd1 is about the thumbnail; orientation and size the savers set themselves. */
static bool
is_kept_exif(const char *field)
{
	return g_str_has_prefix(field, "exif-ifd") && !g_str_has_prefix(field, "exif-ifd1-") &&
	    strcmp(field, "exif-ifd0-Orientation") != 0 && strcmp(field, "exif-ifd2-MakerNote") != 0;
}

/* libvips' savers build EXIF from both: what is in the blob and no field is dropped. */
static bool
keep_exif(VipsImage *image, VipsImage *original, enum recipe_orient orient, struct arena *arena)
{
	struct span exif = fields_blob(original, VIPS_META_EXIF_NAME);
	char **fields;

	if (!set_blob(image, VIPS_META_EXIF_NAME, corrected_exif(exif, arena)))
		return false;
	fields = vips_image_get_fields(original);
	for (char **field = fields; *field != NULL; field++)
		if (is_kept_exif(*field))
			field_copy(image, original, *field);
	g_strfreev(fields);
	/* With orient=off the pixels are as stored, so what is said about them still
	 * holds.  1 must be said: without the field the savers keep the blob's. */
	vips_image_set_int(image, VIPS_META_ORIENTATION,
	    orient == ORIENT_OFF ? vips_image_get_orientation(original) : 1);
	return true;
}

static bool
keep_all(VipsImage *image, VipsImage *original, enum recipe_orient orient, bool with_exif)
{
	struct arena *arena = arena_new();
	bool has_exif = with_exif && keep_exif(image, original, orient, arena);
	bool has_xmp = set_blob(image, VIPS_META_XMP_NAME,
	    corrected_xmp(fields_xmp(original), arena));
	bool has_iptc = set_blob(image, VIPS_META_IPTC_NAME,
	    wrapped_iptc(bare_iptc(fields_blob(original, VIPS_META_IPTC_NAME)), arena));

	arena_free(arena);
	return has_exif || has_xmp || has_iptc;
}

/* ---- the result --------------------------------------------------------------------------------- */

/* Size, format and such are no fields, and stay too. */
static void
remove_fields(VipsImage *image, bool keeps_profile)
{
	static const char *const kept[] = { "page-height", "n-pages", "delay", "loop" };
	char **fields = vips_image_get_fields(image);

	for (char **field = fields; *field != NULL; field++) {
		bool is_kept = keeps_profile && strcmp(*field, VIPS_META_ICC_NAME) == 0;

		for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
			is_kept = is_kept || strcmp(*field, kept[i]) == 0;
		if (!is_kept)
			vips_image_remove(image, *field);
	}
	g_strfreev(fields);
}

bool
picture_set_metadata(VipsImage **image, VipsImage *original, const struct recipe *recipe,
    bool *has_metadata, struct failure *why)
{
	bool is_kept = recipe->strip == STRIP_KEEP;
	double xres = is_kept ? vips_image_get_xres(original) : 1.0;
	double yres = is_kept ? vips_image_get_yres(original) : 1.0;
	VipsImage *own;
	bool is_animation;

	if (!picture_settle_profile(image, why))
		return false;
	/* Fields are only ever edited on a header of one's own. */
	if (vips_copy(*image, &own, "xres", xres, "yres", yres, NULL) == -1)
		return fail_from_vips(why, FAIL_INTERNAL, "copy");
	image_replace(image, own);
	remove_fields(*image, recipe->icc != ICC_SRGB);
	/* libvips would write the height of all frames together into EXIF. */
	is_animation = vips_image_get_page_height(*image) < vips_image_get_height(*image);
	*has_metadata =
	    (recipe->strip == STRIP_COPYRIGHT && credit_copy(*image, original, !is_animation)) ||
	    (is_kept && keep_all(*image, original, recipe->orient, !is_animation));
	return true;
}
