#!/bin/sh
# Outlives the test process to clean up after it. Reads from stdin, which only the test process holds open:
#   pid N     a server was started        gone N    it has ended and was waited for
# At the end of stdin, by an orderly stop or by the parent's death, it ends what still runs and removes folder $1.
trap '' INT TERM HUP
pids=""
while read -r word pid; do
  case $word in
  pid) pids="$pids $pid" ;;
  gone)
    rest=""
    for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done
    pids=$rest
    ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
[ -n "$1" ] && rm -rf "$1"
exit 0
