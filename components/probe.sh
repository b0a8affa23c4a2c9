# Sends each request of $CHECKS, a line "STATUS HOST URL" each, until all are answered with their
# status, three rounds in a row: a single round can be luck while proxies receive their
# configuration. Fails when $LIMIT seconds have passed.
end=$(($(date +%s) + LIMIT))
passed=0
while [ "$passed" -lt 3 ]; do
  answers=$(echo "$CHECKS" | while read -r expected host url; do
    answer=$(curl -sg -m 5 -o /dev/null -w '%{http_code} %{errormsg}' -H "Host: $host" "$url")
    echo "GET $url (Host: $host): expected $expected, got $answer"
  done)
  wrong=$(echo "$answers" | grep -vE 'expected ([0-9]+), got \1( |$)')
  if [ -z "$wrong" ]; then
    passed=$((passed + 1))
    continue
  fi
  passed=0
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "after $LIMIT s: $wrong" >&2
    exit 1
  fi
  sleep 1
done
echo "$answers"
