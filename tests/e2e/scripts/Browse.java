import static io.gatling.javaapi.core.CoreDsl.*;
import static io.gatling.javaapi.http.HttpDsl.*;

import io.gatling.javaapi.core.Simulation;

/** 100 requests, whoever sends them: 4 users, 25 requests each. */
public class Browse extends Simulation {
    {
        setUp(scenario("browse").repeat(25).on(http("home").get("/")).injectOpen(atOnceUsers(4)))
            .protocols(http.baseUrl(System.getProperty("TARGET")))
            .assertions(global().requestsPerSec().gt(0.0));
    }
}
