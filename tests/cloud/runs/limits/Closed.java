import static io.gatling.javaapi.core.CoreDsl.*;
import static io.gatling.javaapi.http.HttpDsl.*;

import io.gatling.javaapi.core.Simulation;
import java.time.Duration;

/** As many requests as the users can send, or one a user in each pause. */
public class Closed extends Simulation {
    {
        Duration pause = Duration.ofMillis(Integer.getInteger("pause_ms"));
        setUp(scenario("closed")
                .during(Integer.getInteger("seconds")).on(exec(http("home").get("/")).pause(pause))
                .injectOpen(atOnceUsers(Integer.getInteger("users"))))
            .protocols(http.baseUrl(System.getProperty("TARGET")));
    }
}
