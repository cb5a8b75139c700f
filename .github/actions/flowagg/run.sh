#!/usr/bin/env bash
# Runs flowagg. A plan with changes (exit code 3) succeeds; other non-zero exit codes fail the job.
set -euo pipefail

read -r -a words <<<"${ARGS//$'\n'/ }"
case $COMMAND in
    plan) verb=(plan --markdown --exit-code) ;;
    apply) verb=(apply --yes) ;;
    verify) verb=(verify) ;;
    *)
        echo "::error::invalid \`command\`: use \`plan\`, \`apply\` or \`verify\`"
        exit 2
        ;;
esac

printed=$(mktemp "$RUNNER_TEMP/flowagg-$COMMAND-XXXXXX")
code=0
flowagg "${verb[@]}" --config "$CONFIG" ${words[@]+"${words[@]}"} | tee "$printed" || code=$?
echo "exit-code=$code" >>"$GITHUB_OUTPUT"

if [ -s "$printed" ]; then
    if [ "$COMMAND" = plan ]; then
        cat "$printed" >>"$GITHUB_STEP_SUMMARY"
        echo "plan=$printed" >>"$GITHUB_OUTPUT"
    else
        # A longer fence than any that flowagg prints.
        {
            echo "\`\`\`\`\`\`text"
            cat "$printed"
            echo "\`\`\`\`\`\`"
        } >>"$GITHUB_STEP_SUMMARY"
    fi
fi
if [ "$COMMAND" = plan ]; then
    case $code in
        0) echo "changes=false" >>"$GITHUB_OUTPUT" ;;
        3)
            echo "changes=true" >>"$GITHUB_OUTPUT"
            exit 0
            ;;
    esac
fi
exit "$code"
