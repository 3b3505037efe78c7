// The scenario of shop.yaml, for k6.
import http from 'k6/http';
import { check, group, sleep } from 'k6';

export const options = {
  scenarios: { shop: { executor: 'per-vu-iterations', vus: 2, iterations: 4 } },
};

export default function () {
  group('visit', () => {
    const home = http.get(`${__ENV.TARGET}/`, { tags: { name: 'home' } });
    check(home, { 'status == 200': (r) => r.status === 200 });
    http.get(`${__ENV.TARGET}/status/404`, { tags: { name: 'missing' } });
  });
  http.get(__ENV.nobody, { tags: { name: 'refused' } });
  sleep(1);
}
