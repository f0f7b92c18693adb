#include "base/resolver.h"

#include "base/check.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

struct look_up {
	struct addrinfo wanted;
	struct gaicb request;
	char host[];
};

static bool
is_running(struct look_up *look_up)
{
	return gai_error(&look_up->request) == EAI_INPROGRESS;
}

/* One that cannot be cancelled belongs to its thread, and is lost. */
static void
look_up_free(struct look_up *look_up)
{
	if (is_running(look_up) && gai_cancel(&look_up->request) != EAI_CANCELED && is_running(look_up))
		return;
	if (look_up->request.ar_result != NULL)
		freeaddrinfo(look_up->request.ar_result);
	free(look_up);
}

/* NULL when there is no thread or memory for it. */
static struct look_up *
look_up_start(const char *host)
{
	size_t bytes = strlen(host) + 1;
	struct look_up *look_up = calloc(1, sizeof(*look_up) + bytes);
	struct gaicb *request;

	CHECK(look_up != NULL);
	memcpy(look_up->host, host, bytes);
	look_up->wanted = (struct addrinfo){ .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	look_up->request = (struct gaicb){ .ar_name = look_up->host, .ar_request = &look_up->wanted };
	request = &look_up->request;
	if (getaddrinfo_a(GAI_NOWAIT, &request, 1, NULL) == 0)
		return look_up;
	free(look_up);
	return NULL;
}

static void
read_addresses(const struct addrinfo *found, struct addresses *addresses)
{
	addresses->count = 0;
	for (; found != NULL && addresses->count < ADDRESSES_MAX; found = found->ai_next)
		if (getnameinfo(found->ai_addr, found->ai_addrlen, addresses->texts[addresses->count], ADDRESS_BYTES,
		    NULL, 0, NI_NUMERICHOST) == 0)
			addresses->count++;
}

static bool
is_address(const char *host, struct addresses *addresses)
{
	const struct addrinfo wanted = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST
	};
	struct addrinfo *found;

	if (getaddrinfo(host, NULL, &wanted, &found) != 0)
		return false;
	read_addresses(found, addresses);
	freeaddrinfo(found);
	return addresses->count > 0;
}

/* Takes in what has been answered: 0 for addresses; EAI_INPROGRESS while there is hope for
 * some; else the error of one that was in vain. */
static int
harvest(struct resolver *resolver)
{
	int error = EAI_AGAIN;
	bool has_found = false, is_waiting = false;

	for (unsigned i = 0; i < LOOK_UPS_MAX; i++) {
		struct look_up *look_up = resolver->pending[i];
		struct addresses found;

		if (look_up == NULL)
			continue;
		if (is_running(look_up)) {
			is_waiting = true;
			continue;
		}
		read_addresses(look_up->request.ar_result, &found);
		if (found.count > 0) {
			resolver->known = found;
			resolver->known_until = deadline_in_ms(ADDRESSES_KEPT_S * 1000LL);
			has_found = true;
		} else if (gai_error(&look_up->request) != 0) {
			error = gai_error(&look_up->request);
		}
		look_up_free(look_up);
		resolver->pending[i] = NULL;
	}
	if (has_found)
		return 0;
	return is_waiting ? EAI_INPROGRESS : error;
}

static void
start_another(struct resolver *resolver, const char *host)
{
	for (unsigned i = 0; i < LOOK_UPS_MAX; i++)
		if (resolver->pending[i] == NULL) {
			resolver->pending[i] = look_up_start(host);
			return;
		}
}

static int
await_answer(struct resolver *resolver, struct deadline deadline)
{
	int error = harvest(resolver);

	while (error == EAI_INPROGRESS && !deadline_has_passed(deadline)) {
		const struct gaicb *requests[LOOK_UPS_MAX];
		int left_ms = deadline_left_ms(deadline);
		struct timespec left = { left_ms / 1000, (left_ms % 1000) * 1000000L };

		for (unsigned i = 0; i < LOOK_UPS_MAX; i++)
			requests[i] = resolver->pending[i] != NULL ? &resolver->pending[i]->request : NULL;
		gai_suspend(requests, LOOK_UPS_MAX, &left);
		error = harvest(resolver);
	}
	return error;
}

static bool
knows_some(const struct resolver *resolver)
{
	return resolver->known.count > 0 && !deadline_has_passed(resolver->known_until);
}

bool
resolver_find(struct resolver *resolver, const char *host, struct deadline deadline, struct addresses *addresses,
    struct failure *why)
{
	int error;

	if (is_address(host, addresses))
		return true;
	/* An answer that came after its asker had gone may be old: it is known, but we ask anew. */
	harvest(resolver);
	start_another(resolver, host);
	error = await_answer(resolver, knows_some(resolver) ?
	    deadline_within_ms(deadline, deadline_left_ms(deadline) / 2) : deadline);
	if (error != 0 && !knows_some(resolver))
		return fail(why, error == EAI_INPROGRESS ? FAIL_TIMEOUT : FAIL_UNAVAILABLE, "look up %.200s: %s", host,
		    error == EAI_INPROGRESS ? "no answer in time" : gai_strerror(error));
	*addresses = resolver->known;
	return true;
}

void
resolver_release(struct resolver *resolver)
{
	for (unsigned i = 0; i < LOOK_UPS_MAX; i++)
		if (resolver->pending[i] != NULL)
			look_up_free(resolver->pending[i]);
	*resolver = (struct resolver){ 0 };
}
