import static io.gatling.javaapi.core.CoreDsl.*;
import static io.gatling.javaapi.http.HttpDsl.*;

import io.gatling.javaapi.core.Simulation;

/** 64 users, as fast as they go. */
public class Load extends Simulation {
    {
        setUp(
                        scenario("load")
                                .during(Integer.getInteger("seconds"))
                                .on(http("home").get("/"))
                                .injectOpen(atOnceUsers(64)))
                .protocols(http.baseUrl(System.getProperty("TARGET")));
    }
}
