package shop;

import static io.gatling.javaapi.core.CoreDsl.*;
import static io.gatling.javaapi.http.HttpDsl.*;

import io.gatling.javaapi.core.Simulation;
import java.util.ServiceLoader;
import java.util.function.IntSupplier;

/** 100 requests, if all four providers are found: one in each place of the class path, under one name. */
public class Plugged extends Simulation {
    public static class Ten implements IntSupplier {
        public int getAsInt() {
            return 10;
        }
    }

    public static class Twenty implements IntSupplier {
        public int getAsInt() {
            return 20;
        }
    }

    public static class Thirty implements IntSupplier {
        public int getAsInt() {
            return 30;
        }
    }

    public static class Forty implements IntSupplier {
        public int getAsInt() {
            return 40;
        }
    }

    {
        int requests = 0;
        for (IntSupplier provider : ServiceLoader.load(IntSupplier.class)) {
            requests += provider.getAsInt();
        }
        setUp(scenario("browse").exec(http("home").get("/")).injectOpen(atOnceUsers(requests)))
            .protocols(http.baseUrl(System.getProperty("TARGET")));
    }
}
