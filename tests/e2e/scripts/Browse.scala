package shop

import io.gatling.core.Predef._
import io.gatling.http.Predef._

/** 100 requests, whoever sends them: 4 users, 25 requests each. */
class Browse extends Simulation {
  setUp(scenario("browse").repeat(25)(exec(http("home").get("/"))).inject(atOnceUsers(4)))
    .protocols(http.baseUrl(sys.props("TARGET")))
    .assertions(global.requestsPerSec.gt(0.0))
}
