package floodgate.gatling;

import io.gatling.core.config.GatlingConfiguration;
import io.gatling.core.controller.throttle.ThrottleStep;
import io.gatling.core.controller.throttle.Throttling;
import io.gatling.core.controller.throttle.Throttlings;
import io.gatling.core.scenario.Simulation;
import io.gatling.core.scenario.SimulationParams;
import io.gatling.core.structure.PopulationBuilder;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import scala.Function1;
import scala.Option;
import scala.collection.immutable.List;
import scala.collection.immutable.Map;

/**
 * The simulation that Gatling runs: the user's own, with its injection profiles and throttles cut down to this task's share and
 * without its assertions, which are evaluated on the data of all tasks.
 */
public final class Shared extends Simulation {
    private final Share share = Share.mine();

    /** From Gatling 3.13 on. */
    public SimulationParams params() {
        try {
            return cut(Script.params(Script.name()));
        } catch (ReflectiveOperationException | java.io.IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Up to Gatling 3.12. */
    public SimulationParams params(GatlingConfiguration configuration) {
        return params();
    }

    private SimulationParams cut(SimulationParams whole) throws ReflectiveOperationException {
        java.util.List<Object> values = new ArrayList<>();
        for (Field field : SimulationParams.class.getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                values.add(part(field.getName(), Scala.field(whole, field.getName())));
            }
        }
        for (Constructor<?> constructor : SimulationParams.class.getConstructors()) {
            if (constructor.getParameterCount() == values.size()) {
                return (SimulationParams) constructor.newInstance(values.toArray());
            }
        }
        throw new IllegalStateException("this version of Gatling has another SimulationParams: " + values.size() + " values");
    }

    @SuppressWarnings("unchecked")
    private Object part(String name, Object value) throws ReflectiveOperationException {
        switch (name) {
            case "rootPopulationBuilders":
                return populations((List<PopulationBuilder>) value);
            case "assertions":
                return Scala.list();
            case "globalThrottleSteps":
                return throttle((scala.collection.Iterable<ThrottleStep>) value);
            case "throttlings":
                return throttlings((Throttlings) value);
            default:
                return value;
        }
    }

    private List<PopulationBuilder> populations(List<PopulationBuilder> all) {
        List<PopulationBuilder> ours = Scala.list();
        for (PopulationBuilder one : Scala.reversed(all)) {
            List<List<PopulationBuilder>> children = Scala.list();
            for (List<PopulationBuilder> sequence : Scala.reversed(one.children())) {
                children = Scala.cons(populations(sequence), children);
            }
            Share of = one.shard() ? share : null;
            PopulationBuilder cut = new PopulationBuilder(
                one.scenarioBuilder(),
                SharedProfile.of(one.injectionProfile(), one.scenarioBuilder().name(), of),
                one.scenarioProtocols(),
                throttle(one.scenarioThrottleSteps()),
                one.pauseType(),
                children,
                one.shard());
            ours = Scala.cons(cut, ours);
        }
        return ours;
    }

    private List<ThrottleStep> throttle(scala.collection.Iterable<ThrottleStep> steps) {
        List<ThrottleStep> ours = Scala.list();
        for (ThrottleStep step : Scala.reversed(steps)) {
            ours = Scala.cons(new ThrottleShare(step, share), ours);
        }
        return ours;
    }

    /** Up to Gatling 3.14 throttles are functions by now. */
    @SuppressWarnings("unchecked")
    private Throttlings throttlings(Throttlings whole) throws ReflectiveOperationException {
        Option<Throttling> global = whole.global();
        if (global.isDefined()) {
            global = Option.apply(limited(global.get()));
        }
        Map<String, Throttling> ours = scala.collection.immutable.Map$.MODULE$.empty();
        for (scala.Tuple2<String, Throttling> one : Scala.java(whole.perScenario())) {
            ours = (Map<String, Throttling>) ours.updated(one._1(), limited(one._2()));
        }
        return new Throttlings(global, ours);
    }

    @SuppressWarnings("unchecked")
    private Throttling limited(Throttling whole) throws ReflectiveOperationException {
        Function1<Object, Object> limit = (Function1<Object, Object>) Scala.field(whole, "limit");
        Function1<Object, Object> ours = time -> (int) share.count((Integer) limit.apply(time));
        Constructor<?> constructor = Throttling.class.getConstructors()[0];
        return (Throttling) (constructor.getParameterCount() == 1
            ? constructor.newInstance(ours)
            : constructor.newInstance(ours, Scala.field(whole, "duration")));
    }
}
