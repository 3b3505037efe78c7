// 64 VUs, as fast as they go.
import http from 'k6/http';

export const options = {
  scenarios: { load: { executor: 'constant-vus', vus: 64, duration: `${__ENV.seconds}s` } },
};

export default function () {
  http.get(`${__ENV.TARGET}/`, { tags: { name: 'home' } });
}
