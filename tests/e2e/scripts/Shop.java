import static io.gatling.javaapi.core.CoreDsl.*;
import static io.gatling.javaapi.http.HttpDsl.*;

import io.gatling.javaapi.core.Simulation;

/** The scenario of shop.yaml, for Gatling. */
public class Shop extends Simulation {
    {
        var visit =
                exec(
                        http("home").get("/").check(status().is(200)),
                        http("missing").get("/status/404"));
        var iteration =
                exec(
                        group("visit").on(visit),
                        http("refused").get(System.getProperty("nobody")),
                        pause(1));
        setUp(scenario("shop").repeat(4).on(iteration).injectOpen(atOnceUsers(2)))
                .protocols(http.baseUrl(System.getProperty("TARGET")));
    }
}
