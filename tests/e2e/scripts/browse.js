// 100 requests, whoever sends them: 4 VUs, 25 iterations each.
import http from 'k6/http';

export const options = {
  scenarios: { browse: { executor: 'per-vu-iterations', vus: 4, iterations: 25 } },
  thresholds: { http_reqs: ['count==100'] },
};

export default function () {
  http.get(`${__ENV.TARGET}/`, { tags: { name: 'home' } });
}
