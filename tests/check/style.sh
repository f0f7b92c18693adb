#!/bin/sh
# style.sh - rules of the house that a machine can check; see docs/contributing.md.

cd "$(dirname "$0")/../.." || exit 2
bad=0

complain() {	# complain TITLE LINES
	if [ -n "$2" ]; then
		printf '%s:\n%s\n' "$1" "$2"
		bad=1
	fi
}

sources=$(git ls-files 'lib/*.[ch]' 'fcgi-app/*.[ch]' 'renderer/*.[ch]' 'cli/*.[ch]')
[ -n "$sources" ] || { echo "style: found no source files"; exit 2; }

complain "functions that cannot be used safely" "$(grep -nEw \
	'strcpy|strcat|strncpy|strncat|strtok|sprintf|vsprintf|gets|gmtime|localtime|ctime|asctime|mktemp|atoi|atol|rand|system|popen|alloca' \
	$sources | grep -vE '^[^:]*:[0-9]+:\s*(\*|/\*)' | grep -E '\b(strcpy|strcat|strncpy|strncat|strtok|sprintf|vsprintf|gets|gmtime|localtime|ctime|asctime|mktemp|atoi|atol|rand|system|popen|alloca)\(')"
complain "a struct gets no typedef" "$(grep -nE '^\s*typedef (struct|union|enum)' $sources)"
complain "lines over 120 columns" "$(for file in $sources; do
	expand -t 8 "$file" | awk -v file="$file" 'length($0) > 120 { print file ":" NR }'; done)"
complain "white space at the end of a line" "$(git grep -nIE '[[:space:]]+$' -- '*.c' '*.h' '*.py' '*.sh' '*.mk' Makefile)"
complain "files without a comment at the top" "$(for file in $(git ls-files '*.h'); do
	head -n 1 "$file" | grep -q '^/\*' || echo "$file"; done)"
exit $bad
