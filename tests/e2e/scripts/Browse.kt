package shop

import io.gatling.javaapi.core.CoreDsl.*
import io.gatling.javaapi.core.Simulation
import io.gatling.javaapi.http.HttpDsl.*

/** 100 requests, whoever sends them: 4 users, 25 requests each. */
class Browse : Simulation() {
    init {
        val names = listOf("home").map { it.lowercase() }
        setUp(scenario("browse").repeat(25).on(http(names.first()).get("/")).injectOpen(atOnceUsers(4)))
            .protocols(http.baseUrl(System.getProperty("TARGET")))
    }
}
