package floodgate.gatling;

import io.gatling.core.config.GatlingConfiguration;
import io.gatling.core.scenario.SimulationParams;
import io.gatling.core.structure.PopulationBuilder;
import scala.Option;
import scala.Product;
import scala.collection.Iterable;
import scala.collection.immutable.List;
import scala.concurrent.duration.Duration;

/** Says as JSON what a simulation would do, without doing it. Gatling's case classes are written as they are: ["Name", value, ...]. */
final class Describe {
    private final StringBuilder out = new StringBuilder();

    private Describe() {}

    static String simulation() throws Exception {
        GatlingConfiguration configuration = GatlingConfiguration.load();
        io.gatling.core.Predef$.MODULE$._configuration_$eq(configuration);
        String name = Script.name();
        SimulationParams params = Script.params(name);
        Describe describe = new Describe();
        describe.out.append("{\"version\":");
        describe.value(io.gatling.commons.util.GatlingVersion.ThisVersion().fullVersion());
        describe.out.append(",\"simulation\":");
        describe.value(name);
        describe.out.append(",\"populations\":");
        describe.populations(params.rootPopulationBuilders());
        describe.out.append(",\"assertions\":");
        describe.value(params.assertions());
        describe.out.append(",\"maxDuration\":");
        describe.value(params.maxDuration());
        describe.out.append('}');
        return describe.out.toString();
    }

    private void populations(List<PopulationBuilder> all) {
        out.append('[');
        String comma = "";
        for (PopulationBuilder one : Scala.java(all)) {
            out.append(comma).append("{\"scenario\":");
            value(one.scenarioBuilder().name());
            out.append(",\"profile\":");
            value(one.injectionProfile().getClass().getSimpleName());
            out.append(",\"steps\":");
            value(SharedProfile.steps(one.injectionProfile()));
            out.append(",\"throttle\":");
            value(one.scenarioThrottleSteps());
            out.append(",\"shard\":").append(one.shard());
            out.append(",\"children\":[");
            String between = "";
            for (List<PopulationBuilder> sequence : Scala.java(one.children())) {
                out.append(between);
                populations(sequence);
                between = ",";
            }
            out.append("]}");
            comma = ",";
        }
        out.append(']');
    }

    private void value(Object value) {
        if (value instanceof Option) {
            value(((Option<?>) value).isDefined() ? ((Option<?>) value).get() : null);
        } else if (value == null || value instanceof Boolean || value instanceof Number && finite((Number) value)) {
            out.append(value);
        } else if (value instanceof Duration) {
            Duration duration = (Duration) value;
            out.append(duration.isFinite() ? String.valueOf(duration.toMillis()) : "null");
        } else if (value instanceof Iterable) {
            all("", ((Iterable<?>) value).iterator());
        } else if (value instanceof Product) {
            all(((Product) value).productPrefix(), ((Product) value).productIterator());
        } else {
            text(String.valueOf(value));
        }
    }

    private static boolean finite(Number number) {
        return !Double.isInfinite(number.doubleValue()) && !Double.isNaN(number.doubleValue());
    }

    private void all(String head, scala.collection.Iterator<?> each) {
        out.append('[');
        String comma = "";
        if (!head.isEmpty()) {
            text(head);
            comma = ",";
        }
        while (each.hasNext()) {
            out.append(comma);
            value(each.next());
            comma = ",";
        }
        out.append(']');
    }

    private void text(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ' || c > '~') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
