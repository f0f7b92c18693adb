#!/bin/sh
# layers.sh STOREY... - fail when a file includes a header from a higher storey or
# from a neighbour on its own, or a third-party header that belongs to another file.
#
# A storey is a comma-separated list of folders; they are given from the ground up.
# A header name is resolved from lib/ or from the top, as the compiler does.

cd "$(dirname "$0")/../.." || exit 2

# One third-party header, one owner: a file, or a folder for vips/vips.h.
owners='
curl/curl.h lib/origin/http_client.c
mysql.h lib/catalog/database.c
libmemcached/memcached.h lib/peers/peers.c
fcgiapp.h fcgi-app/fastcgi.c
ini.h lib/settings/settings.c
jansson.h fcgi-app/serve_info.c
xxhash.h lib/base/digest.c
openssl/ lib/base/digest.c
seccomp.h renderer/system_calls.c
linux/landlock.h renderer/landlock.c
vips/vips.h lib/image/
'

find lib fcgi-app renderer cli -name '*.[ch]' | sort | awk -v storeys="$*" -v owners="$owners" '
	BEGIN {
		count = split(storeys, storey, " ")
		for (level = 1; level <= count; level++) {
			folders = split(storey[level], folder, ",")
			for (i = 1; i <= folders; i++)
				level_of[folder[i]] = level
		}
		pairs = split(owners, word, /[ \n]+/)
		for (i = 2; i + 1 <= pairs; i += 2)
			owner_of[word[i]] = word[i + 1]
	}
	function complain(text) { printf "%s:%d: %s\n", file, line, text; bad = 1 }
	function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }
	{
		file = $0; line = 0; own = folder_of(file)
		if (!(own in level_of))
			complain("the folder " own " is on no storey (LAYERS in the Makefile)")
		while ((getline text < file) > 0) {
			line++
			if (match(text, /^#include "[^"]+"/)) {
				header = substr(text, 11, RLENGTH - 11)
				target = folder_of(header)
				if (!(target in level_of))
					target = "lib/" target
				if (!(target in level_of))
					complain("includes " header ", which is in no folder of the house")
				else if (target != own && level_of[target] >= level_of[own])
					complain(own " may not include " header)
			} else if (match(text, /^#include <[^>]+>/)) {
				header = substr(text, 11, RLENGTH - 11)
				for (name in owner_of)
					if (index(header, name) == 1 && index(file, owner_of[name]) != 1)
						complain("only " owner_of[name] " may include <" header ">")
			}
		}
		close(file)
		files++
	}
	END {
		if (files == 0) { print "layers: found no source files"; exit 2 }
		exit bad
	}'
