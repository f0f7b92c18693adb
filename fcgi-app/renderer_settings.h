/*
 * renderer_settings - from [render] to what renderer_start() takes.
 */
#ifndef FCGI_APP_RENDERER_SETTINGS_H
#define FCGI_APP_RENDERER_SETTINGS_H

#include "base/arena.h"
#include "base/failure.h"
#include "render/renderer_process.h"
#include "settings/settings.h"

/* FAIL_INTERNAL when the renderer's program cannot be found. */
bool renderer_config_of(const struct render_settings *settings, struct arena *arena,
    struct renderer_config *config, struct failure *why) __attribute__((warn_unused_result));

#endif
