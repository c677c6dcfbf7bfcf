#!/bin/sh
# A page of its own for each URL, and another one each time; ?to=/path is a local redirect.
cat >/dev/null
case $QUERY_STRING in
    to=/*)
        printf 'Location: %s\r\n\r\n' "${QUERY_STRING#to=}"
        exit
        ;;
esac
read -r run < /proc/sys/kernel/random/uuid
printf 'Content-Type: text/html\r\n\r\n%s %s\nrun %s\n' "$REQUEST_METHOD" "$REQUEST_URI" "$run"
