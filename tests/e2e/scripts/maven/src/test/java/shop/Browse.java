package shop;

import static io.gatling.javaapi.core.CoreDsl.*;
import static io.gatling.javaapi.http.HttpDsl.*;

import io.gatling.javaapi.core.Simulation;
import org.apache.commons.text.WordUtils;

/** 100 requests, whoever sends them, with a library of its own and a file that is not on the class path. */
public class Browse extends Simulation {
    {
        String name = WordUtils.uncapitalize("Home");
        setUp(scenario("browse")
                .repeat(25).on(feed(csv("data/items.csv").circular()), http(name).get("/?item=#{item}"))
                .injectOpen(atOnceUsers(4)))
            .protocols(http.baseUrl(System.getProperty("TARGET")));
    }
}
