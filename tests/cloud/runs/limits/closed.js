// As many requests as the VUs can send, or one a VU in each pause.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: { closed: { executor: 'constant-vus', vus: Number(__ENV.users), duration: `${__ENV.seconds}s` } },
};

export default function () {
  http.get(`${__ENV.TARGET}/`, { tags: { name: 'home' } });
  sleep(Number(__ENV.pause_ms) / 1000);
}
