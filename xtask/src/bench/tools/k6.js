// The load of the benchmarks: closed loop with CONNECTIONS users, or RATE a second.
import http from 'k6/http';

const rate = Number(__ENV.RATE);
const connections = Number(__ENV.CONNECTIONS);
const executor = rate
  ? { executor: 'constant-arrival-rate', rate, timeUnit: '1s', preAllocatedVUs: connections, maxVUs: 5000 }
  : { executor: 'constant-vus', vus: connections };

export const options = {
  scenarios: { load: { ...executor, duration: __ENV.DURATION, gracefulStop: '5s' } },
  insecureSkipTLSVerify: true,
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
};

export default function () {
  http.get(__ENV.URL);
}
