/*
 * caption - one line of text, drawn with Pango.
 *
 * The text is data: Pango reads markup, so it is escaped first.  Letters are as
 * high as asked (1 em, a whole number of pixels) or as much smaller as is needed
 * for the whole line to stay within the margins; what would need letters too
 * small to read is left out.  What is placed and measured is the box around the
 * ink, not the line with its room for accents, so a margin of 10 pixels is 10
 * pixels of picture.
 *
 * The shadow is a layer of its own below the letters, of the same shape.
 */
#include "image/pipeline.h"

#include <string.h>

enum {
	LETTERS_MIN = 6,	/* pixels of 1 em: what is smaller cannot be read */
	SHADOW_PARTS = 16,	/* of 1 em, to the right and down */
	TRIAL_SIZE = 16	/* see largest_worth_trying() */
};

struct box {
	int width, height;
};

static struct box
box_of(VipsImage *image)
{
	return (struct box){ vips_image_get_width(image), vips_image_get_height(image) };
}

static bool
fits(struct box box, struct box room)
{
	return box.width <= room.width && box.height <= room.height;
}

/* ---- drawing --------------------------------------------------------------------------- */

/* vips_text() calls it an error when nothing is to be seen, as of a line of spaces. */
static bool
nothing_was_drawn(void)
{
	if (strstr(vips_error_buffer(), "no text to render") == NULL)
		return false;
	vips_error_clear();
	return true;
}

/* One band in memory: how much of each pixel is ink.  NULL when there is none. */
static bool
draw(const struct caption *caption, unsigned size, VipsImage **ink, struct failure *why)
{
	char *markup = g_markup_escape_text(caption->text, -1);
	char *font = g_strdup_printf("%s %upx", caption->font, size);
	bool is_drawn;

	*ink = NULL;
	is_drawn = vips_text(ink, markup, "font", font, NULL) == 0 || nothing_was_drawn();
	g_free(markup);
	g_free(font);
	if (!is_drawn)
		return fail_from_vips(why, FAIL_INTERNAL, "caption");
	if (*ink == NULL || picture_own(ink, why))
		return true;
	g_clear_object(ink);
	return false;
}

/* The size at which a line of this size would just be within the room, less a
 * little for rounding; and it is always smaller. */
static unsigned
shrink(unsigned size, struct box box, struct box room)
{
	unsigned by_width = (unsigned)((uint64_t)size * (unsigned)room.width / (unsigned)box.width);
	unsigned by_height = (unsigned)((uint64_t)size * (unsigned)room.height / (unsigned)box.height);

	return VIPS_MIN(size - 1, VIPS_MIN(by_width, by_height));
}

static unsigned
at_least_legible(unsigned size)
{
	return VIPS_MAX(size, LETTERS_MIN);
}

/*
 * 255 bytes at half a canvas each would be gigabytes, and cairo draws nothing
 * beyond 32767 pixels: a small trial says how far the size can be from the one
 * that fits.  It is a quarter more than it says, because Pango rounds the
 * place of each letter to whole pixels.
 */
static bool
largest_worth_trying(const struct caption *caption, struct box room, unsigned *size, struct failure *why)
{
	VipsImage *ink;
	struct box box;
	unsigned limit;

	if (!draw(caption, TRIAL_SIZE, &ink, why))
		return false;
	if (ink == NULL)
		return true;
	box = box_of(ink);
	g_object_unref(ink);
	limit = VIPS_MIN(5 * TRIAL_SIZE / 4 * (unsigned)room.width / (unsigned)box.width,
	    5 * TRIAL_SIZE / 4 * (unsigned)room.height / (unsigned)box.height);
	*size = at_least_legible(VIPS_MIN(*size, limit));
	return true;
}

/* Makes *size what it became.  Only the smallest letters may be larger than the room. */
static bool
draw_within(const struct caption *caption, struct box room, unsigned *size, VipsImage **ink, struct failure *why)
{
	if (!largest_worth_trying(caption, room, size, why))
		return false;
	for (;;) {
		if (!draw(caption, *size, ink, why))
			return false;
		if (*ink == NULL || fits(box_of(*ink), room) || *size == LETTERS_MIN)
			return true;
		*size = at_least_legible(shrink(*size, box_of(*ink), room));
		g_clear_object(ink);
	}
}

/* ---- layers ---------------------------------------------------------------------------- */

/* Of this colour where the ink is. */
static bool
colour_ink(VipsImage *ink, struct recipe_colour colour, VipsImage **image, struct failure *why)
{
	const double plain[] = { colour.red, colour.green, colour.blue, colour.alpha };
	size_t pixels = (size_t)vips_image_get_width(ink) * (size_t)vips_image_get_height(ink);
	const uint8_t *coverage = (const uint8_t *)VIPS_IMAGE_ADDR(ink, 0, 0);
	uint8_t *alpha;

	*image = vips_image_new_from_image(ink, plain, 4);
	if (*image == NULL)
		return fail_from_vips(why, FAIL_INTERNAL, "caption");
	if (!picture_own(image, why)) {
		g_clear_object(image);
		return false;
	}
	alpha = (uint8_t *)VIPS_IMAGE_ADDR(*image, 0, 0) + 3;
	for (size_t i = 0; i < pixels; i++)
		alpha[4 * i] = (uint8_t)((coverage[i] * colour.alpha + OPAQUE / 2) / OPAQUE);
	return true;
}

static bool
add_shadow(struct layers *layers, struct layer letters, VipsImage *ink, unsigned size,
    struct recipe_colour colour, struct failure *why)
{
	int distance = VIPS_MAX(1, (int)(size + SHADOW_PARTS / 2) / SHADOW_PARTS);
	struct layer shadow = { .left = letters.left + distance, .top = letters.top + distance };

	if (colour.alpha == 0)
		return true;
	if (!colour_ink(ink, colour, &shadow.image, why))
		return false;
	layers_add(layers, shadow);
	return true;
}

static bool
add_ink(struct layers *layers, const struct caption *caption, VipsImage *ink, unsigned size, unsigned margin,
    const struct geometry *canvas, struct failure *why)
{
	struct layer letters = { .image = NULL };

	if (!colour_ink(ink, caption->colour, &letters.image, why))
		return false;
	layer_place(&letters, caption->position, margin, canvas);
	if (!add_shadow(layers, letters, ink, size, caption->shadow, why)) {
		g_object_unref(letters.image);
		return false;
	}
	layers_add(layers, letters);
	return true;
}

static struct box
room_on(const struct geometry *canvas, unsigned margin)
{
	return (struct box){
		VIPS_MAX(0, (int)canvas->canvas_width - 2 * (int)margin),
		VIPS_MAX(0, (int)canvas->canvas_height - 2 * (int)margin),
	};
}

bool
layers_add_caption(struct layers *layers, const struct caption *caption, const struct geometry *canvas,
    struct failure *why)
{
	unsigned size = layer_length(caption->size, VIPS_MIN(canvas->canvas_width, canvas->canvas_height));
	unsigned margin = layer_margin(caption->margin, canvas);
	struct box room = room_on(canvas, margin);
	bool may_be_left_out = !caption->is_imposed || canvas->shows_all;
	VipsImage *ink;
	bool is_added = true;

	if (layer_is_left_out(caption->min_width, caption->min_height, caption->is_imposed, canvas) ||
	    (size < LETTERS_MIN && may_be_left_out))
		return true;
	size = at_least_legible(size);
	if (!draw_within(caption, room, &size, &ink, why))
		return false;
	if (ink == NULL)
		return true;
	if (fits(box_of(ink), room) || !may_be_left_out)
		is_added = add_ink(layers, caption, ink, size, margin, canvas, why);
	g_object_unref(ink);
	return is_added;
}

/* A font that every installation maps to one it has (fontconfig's defaults). */
bool
captions_prepare(struct failure *why)
{
	static const struct caption sample = { .text = "Vitrine", .font = "sans" };
	VipsImage *ink;

	if (!draw(&sample, TRIAL_SIZE, &ink, why))
		return false;
	if (ink == NULL)
		return fail(why, FAIL_INTERNAL, "there is no font");
	g_object_unref(ink);
	return true;
}
