# Sends the requests of $CHECKS, a line "STATUS HOST URL" each, until each is answered with its
# status in three rounds, half a second apart: a single round can be luck while proxies receive
# their configuration. Fails when $LIMIT seconds have passed.
end=$(($(date +%s) + LIMIT))

# Prints what is not answered as expected; stops early when it is too late to matter.
wrong_answers() {
  printf '%s\n' "$CHECKS" | while read -r expected host url; do
    answer=$(curl -sg -m 5 -o /dev/null -w '%{http_code} %{errormsg}' -H "Host: $host" "$url")
    [ "${answer%% *}" = "$expected" ] && continue
    printf '%s\n' "GET $url (Host: $host): expected $expected, got $answer"
    [ "$(date +%s)" -lt "$end" ] || break
  done
}

passed=0
while [ "$passed" -lt 3 ]; do
  [ "$passed" = 0 ] || sleep 0.5
  wrong=$(wrong_answers)
  if [ -z "$wrong" ]; then
    passed=$((passed + 1))
  elif [ "$(date +%s)" -lt "$end" ]; then
    passed=0
    sleep 0.5
  else
    printf '%s\n' "after $LIMIT s: $wrong" >&2
    exit 1
  fi
done
