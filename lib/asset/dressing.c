#include "asset/dressing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- watermarks ---------------------------------------------------------------------- */

const struct watermark *
watermark_find(const struct dressing_config *config, const char *name)
{
	for (unsigned i = 0; i < config->watermark_count; i++)
		if (strcmp(config->watermarks[i].name, name) == 0)
			return &config->watermarks[i];
	return NULL;
}

static bool
is_picture(int fd, struct failure *why)
{
	char head[512];
	struct stat status;
	ssize_t got;

	if (fstat(fd, &status) == -1)
		return fail(why, FAIL_INTERNAL, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fail(why, FAIL_INTERNAL, "is no file");
	if (status.st_size > WATERMARK_BYTES_MAX)
		return fail(why, FAIL_INTERNAL, "has %lld bytes, limit %d", (long long)status.st_size,
		    WATERMARK_BYTES_MAX);
	got = pread(fd, head, sizeof(head), 0);
	if (got <= 0 || media_sniff(head, (size_t)got) == MEDIA_NONE)
		return fail(why, FAIL_INTERNAL, "is no image that we know");
	return true;
}

static bool
name_content(int fd, struct key *key, struct failure *why)
{
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX + 1];

	if (!sha256_of_file(fd, digest))
		return fail(why, FAIL_INTERNAL, "%s", strerror(errno));
	hex_print(digest, sizeof(digest), hex);
	*key = key_of(span_of(hex));
	return true;
}

static bool
open_file(struct watermark *watermark, struct failure *why)
{
	/* Without waiting: a pipe in the place of the file would hold us for ever. */
	watermark->fd = open(watermark->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (watermark->fd == -1)
		return fail(why, FAIL_INTERNAL, "%s", strerror(errno));
	if (is_picture(watermark->fd, why) && name_content(watermark->fd, &watermark->key, why))
		return true;
	close(watermark->fd);
	watermark->fd = -1;
	return false;
}

bool
watermark_open(struct watermark *watermark, struct failure *why)
{
	struct failure because = { 0 };

	if (watermark->file[0] == '\0' || open_file(watermark, &because))
		return true;
	return fail(why, FAIL_INTERNAL, "[watermark.%s] file %.128s: %.64s", watermark->name, watermark->file,
	    because.detail);
}

static void
lay_mark(struct dressing *dressing, const struct watermark *watermark, bool is_imposed)
{
	dressing->watermark = watermark;
	dressing->overlays.mark = watermark->mark;
	dressing->overlays.mark.is_set = true;
	dressing->overlays.mark.is_imposed = is_imposed;
}

static bool
choose_mark(const struct dressing_config *config, const struct asset *asset, const struct recipe *recipe,
    struct dressing *dressing, struct failure *why)
{
	const struct watermark *own = watermark_find(config, asset->watermark);
	const struct watermark *asked = watermark_find(config, recipe->watermark);

	/* The same URL has the same mistake, whatever the asset is. */
	if (recipe->watermark[0] != '\0' && asked == NULL)
		return fail(why, FAIL_BAD_REQUEST, "watermark=%s: there is no watermark of that name",
		    recipe->watermark);
	if (asset->watermark[0] != '\0' && own == NULL)
		return fail(why, FAIL_INTERNAL, "the asset's watermark '%.64s' is not configured",
		    asset->watermark);
	if (own != NULL)
		lay_mark(dressing, own, true);
	else if (asked != NULL)
		lay_mark(dressing, asked, false);
	return true;
}

/* ---- lines of text ------------------------------------------------------------------- */

/* Another line that looks as the configuration says. */
static struct caption *
add_caption(const struct dressing_config *config, struct overlays *overlays, const char *text)
{
	struct caption *caption = &overlays->captions[overlays->caption_count++];

	*caption = config->credit;
	snprintf(caption->text, sizeof(caption->text), "%s", text);
	return caption;
}

static bool
choose_credit(const struct dressing_config *config, const struct asset *asset, const struct recipe *recipe,
    struct overlays *overlays, struct failure *why)
{
	bool is_imposed = asset->credit_is_imposed || config->credit_is_imposed;

	if (asset->credit[0] == '\0' || (!is_imposed && !recipe->has_credit))
		return true;
	if (!caption_text_is_valid(span_of(asset->credit), CAPTION_TEXT_MAX))
		return fail(why, FAIL_UPSTREAM, "the asset's credit is not one line of UTF-8");
	add_caption(config, overlays, asset->credit)->is_imposed = is_imposed;
	return true;
}

/* Who asks for a text has said where; the limits are for credits. */
static void
choose_text(const struct dressing_config *config, const struct recipe *recipe, struct overlays *overlays)
{
	struct caption *caption;

	if (recipe->caption[0] == '\0')
		return;
	caption = add_caption(config, overlays, recipe->caption);
	caption->position = recipe->caption_gravity == GRAVITY_FOCUS ? GRAVITY_SOUTH : recipe->caption_gravity;
	if (recipe->caption_size > 0)
		caption->size = recipe->caption_size;
	if (recipe->has_caption_colour)
		caption->colour = recipe->caption_colour;
	caption->min_width = caption->min_height = 0;
}

bool
dressing_choose(const struct dressing_config *config, const struct asset *asset, const struct recipe *recipe,
    struct dressing *dressing, struct failure *why)
{
	*dressing = (struct dressing){ 0 };
	if (recipe->is_original)
		return true;
	if (!choose_mark(config, asset, recipe, dressing, why) ||
	    !choose_credit(config, asset, recipe, &dressing->overlays, why))
		return false;
	choose_text(config, recipe, &dressing->overlays);
	return true;
}
