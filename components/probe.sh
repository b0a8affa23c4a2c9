# Sends the requests of $CHECKS, a line "STATUS HOST URL" each, until each is answered with its
# status, three rounds in a row: a single round can be luck while proxies receive their
# configuration. Fails when $LIMIT seconds have passed.
end=$(($(date +%s) + LIMIT))
passed=0
while [ "$passed" -lt 3 ]; do
  wrong=$(echo "$CHECKS" | while read -r expected host url; do
    answer=$(curl -sg -m 5 -o /dev/null -w '%{http_code} %{errormsg}' -H "Host: $host" "$url")
    [ "${answer%% *}" = "$expected" ] ||
      echo "GET $url (Host: $host): expected $expected, got $answer"
  done)
  if [ -z "$wrong" ]; then
    passed=$((passed + 1))
  elif [ "$(date +%s)" -lt "$end" ]; then
    passed=0
    sleep 1
  else
    echo "after $LIMIT s: $wrong" >&2
    exit 1
  fi
done
