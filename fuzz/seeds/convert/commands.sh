#!/bin/sh
# Log in
curl -sS -X POST https://api.example/v1/login \
  -H 'Content-Type: application/json' \
  -d '{"user": "ann", "password": "it'\''s secret"}'

# What the user ordered
curl -s 'https://api.example/v1/orders?limit=10&access_token=abcdef1234567890' -H "Authorization: Bearer $TOKEN" | jq .
curl https://api.example/v1/orders --json '{"sku": "A-1", "price": 1.50}' -u ann:hunter22 -m 2.5 --retry 3 > /dev/null
curl -G https://api.example/v1/search --data-urlencode 'q=red & blue' -d page=2
curl -F 'title=Über uns' -F photo=@cat.jpg -F 'note=plain;type=text/markdown' https://api.example/v1/upload
curl -d name=Ann+Lee -d colour=red https://api.example/v1/form
curl -T data.bin https://api.example/v1/blob
curl --data-binary @missing.bin -H 'content-type: application/octet-stream' https://api.example/v1/blob
curl -I -L -k https://api.example/v1/health
curl https://api.example/v1/a?x=1&y=2
curl -XDELETE https://api.example/v1/orders/17 --next https://api.example/v1/orders/18
echo done
