#!/bin/sh
# Writes a number that no other run writes, and as many lines as it is asked for. No Content-Length.
lines=0
status=200
case $QUERY_STRING in
    lines=*) lines=${QUERY_STRING#lines=} ;;
    status=*) status=${QUERY_STRING#status=} ;;
esac
printf 'Status: %s\r\nContent-Type: text/plain\r\n' "$status"
[ "$status" != 200 ] || printf 'Cache-Control: max-age=600\r\n'
printf '\r\n'
printf 'run %s.%s\n' "$(date +%s%N)" "$$"
while [ "$lines" -gt 0 ]; do
    echo "line $lines of a script's output, which has no length that anybody knows"
    lines=$((lines - 1))
done
