// One VU, an iteration each half second: nobody knows before when it will have made them all.
import http from 'k6/http';
import { sleep } from 'k6';

export const options = {
  scenarios: {
    counted: {
      executor: 'per-vu-iterations',
      vus: 1,
      iterations: 2 * Number(__ENV.seconds),
      maxDuration: '5m',
    },
  },
};

export default function () {
  http.get(`${__ENV.TARGET}/`, { tags: { name: 'home' } });
  sleep(0.5);
}
