#include "peers/peer_list.h"

#include <string.h>

static bool
is_host_character(char c, bool is_bracketed)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	    c == '-' || c == '_' || (c == ':' && is_bracketed);
}

static bool
copy_host(struct span host, struct peer_address *peer)
{
	bool is_bracketed = host.length >= 2 && host.at[0] == '[' && host.at[host.length - 1] == ']';

	if (is_bracketed)
		host = span_range(host.at + 1, host.length - 2);
	if (host.length == 0 || host.length > PEER_HOST_MAX)
		return false;
	for (size_t i = 0; i < host.length; i++)
		if (!is_host_character(host.at[i], is_bracketed))
			return false;
	memcpy(peer->host, host.at, host.length);
	peer->host[host.length] = '\0';
	return true;
}

static bool
parse_address(struct span text, struct peer_address *peer)
{
	const char *colon = text.length > 0 ? memrchr(text.at, ':', text.length) : NULL;
	uint64_t port;

	if (colon == NULL)
		return false;
	size_t host_length = (size_t)(colon - text.at);
	if (!copy_host(span_range(text.at, host_length), peer) ||
	    !span_to_u64(span_range(colon + 1, text.length - host_length - 1), 1, UINT16_MAX, &port))
		return false;
	peer->port = (uint16_t)port;
	return true;
}

static bool
is_in_list(const struct peer_list *list, const struct peer_address *peer)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->peers[i].port == peer->port && strcmp(list->peers[i].host, peer->host) == 0)
			return true;
	return false;
}

bool
peer_list_parse(struct span text, struct peer_list *list, struct failure *why)
{
	list->count = 0;
	if (span_trim(text).length == 0)
		return true;
	while (text.at != NULL) {
		struct span entry = span_trim(span_cut(&text, ','));
		struct peer_address peer;

		if (!parse_address(entry, &peer))
			return fail(why, FAIL_INTERNAL, "\"%.*s\" is no peer: want host:port", SPAN_ARGS(entry));
		if (is_in_list(list, &peer))
			return fail(why, FAIL_INTERNAL, "the peer %.*s is listed twice", SPAN_ARGS(entry));
		if (list->count == PEERS_MAX)
			return fail(why, FAIL_INTERNAL, "more than %d peers", PEERS_MAX);
		list->peers[list->count++] = peer;
	}
	return true;
}
