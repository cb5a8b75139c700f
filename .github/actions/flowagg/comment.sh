#!/usr/bin/env bash
# Posts the plan as a comment on the pull request. The comment starts with a hidden line with the name of the fleet file, by which
# the next run finds it. Only comments by the user of the token are updated.
set -euo pipefail

body=$(mktemp "$RUNNER_TEMP/flowagg-comment-XXXXXX")
# Replace characters that could end the HTML comment.
export MARKER="<!-- flowagg plan ${CONFIG//[^[:alnum:]._\/-]/_} -->"
{
    printf '%s\n' "$MARKER"
    cat "$PLAN"
} >"$body"

# shellcheck disable=SC2016  # `gh` reads the variable.
own='[.comments[] | select(.viewerDidAuthor and (.body | startswith(env.MARKER))) | .url] | last // empty'
url=$(gh pr view "$PULL_REQUEST" --repo "$GITHUB_REPOSITORY" --json comments --jq "$own")
if [ -n "$url" ]; then
    gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/${url##*#issuecomment-}" --field "body=@$body" --silent
    echo "updated: $url"
else
    gh pr comment "$PULL_REQUEST" --repo "$GITHUB_REPOSITORY" --body-file "$body"
fi
