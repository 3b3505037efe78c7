// Goes on until it is stopped. Setup and teardown leave a mark at the target.
import http from 'k6/http';

export const options = {
  scenarios: {
    browse: { executor: 'constant-arrival-rate', rate: 40, duration: '100s', preAllocatedVUs: 8, gracefulStop: '1s' },
  },
};

const get = (path, name) => http.get(`${__ENV.TARGET}${path}`, { tags: { name } });

export function setup() {
  get('/setup', 'setup');
  return { token: 'abc' };
}

export default function (data) {
  get(`/work/${data.token}`, 'work');
}

export function teardown(data) {
  get(`/teardown/${data.token}`, 'teardown');
}
