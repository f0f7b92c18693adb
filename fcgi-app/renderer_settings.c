#include "fcgi-app/renderer_settings.h"

bool
renderer_config_of(const struct render_settings *settings, struct arena *arena, struct renderer_config *config,
    struct failure *why)
{
	*config = (struct renderer_config){
		.memory_mb = settings->memory_mb,
		.recycle_memory_mb = settings->recycle_memory_mb,
		.jobs = settings->jobs_per_renderer,
		.max_output_bytes = settings->max_output_bytes,
	};
	return renderer_find_program(settings->program, arena, &config->program, why);
}
