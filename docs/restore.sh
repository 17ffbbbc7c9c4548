#!/bin/sh
# Writes the transcript of docs/restore.md: a wrong clear, and the way back. Needs curl:
#   cargo build -p plainsync && PATH="$PWD/target/debug:$PATH" sh docs/restore.sh
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir dashboards
export XDG_STATE_HOME="$folder/state"
unset PLAINSYNC_TOKEN PIXELLAB_API_KEY 2>/dev/null || true

# As typed at a prompt: the command, then what it says.
show() {
    printf '$ %s\n' "$*"
    "$@" 2>&1 || printf '(exit code %s)\n' "$?"
    printf '\n'
    moment
}
post() { curl -sSf -X "$1" -H 'Content-Type: application/json' -d "$3" "$url$2" > answer; moment; }
moment() { sleep 1.1; } # The clocks of changes count seconds.

plainsync serve --port 0 --log error > url 2> log &
server=$!
while ! [ -s url ]; do sleep 0.05; done
url=$(sed 's|/$||' url)
post POST /api/v1/jobs '{"prompt": "a heroic knight"}'
post POST /api/v1/jobs '{"prompt": "a cyberpunk mage"}'
post POST /api/v1/jobs '{"prompt": "a pixel dragon"}'
post PATCH /api/v1/jobs/job-2 '{"prompt": "a cyberpunk witch", "width": 128}'
show plainsync backup create before-the-party
post POST /api/v1/jobs/clear '{}'
post POST /api/v1/jobs '{"prompt": "a warrior"}'

show plainsync log
show plainsync diff HEAD~2 HEAD~1
show plainsync diff HEAD~3 HEAD~2
show plainsync restore HEAD~2 --dry-run
show plainsync restore HEAD~2
show plainsync log --limit 2
# From here on without the server.
kill "$server"
wait "$server" || true
show plainsync restore HEAD~1 --job job-4
show plainsync log --job job-4 --limit 2
show plainsync restore --at 2001-01-01
show plainsync conflicts
show plainsync backup list
show plainsync backup restore before-the-party
