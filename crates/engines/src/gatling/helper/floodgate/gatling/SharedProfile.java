package floodgate.gatling;

import io.gatling.commons.util.Clock;
import io.gatling.core.controller.inject.InjectionProfile;
import io.gatling.core.controller.inject.Workload;
import io.gatling.core.controller.inject.closed.ClosedInjectionProfile;
import io.gatling.core.controller.inject.closed.ClosedInjectionStep;
import io.gatling.core.controller.inject.open.CompositeOpenInjectionStep;
import io.gatling.core.controller.inject.open.OpenInjectionProfile;
import io.gatling.core.controller.inject.open.OpenInjectionStep;
import io.gatling.core.scenario.Scenario;
import io.gatling.core.stats.StatsEngine;
import io.netty.channel.EventLoopGroup;
import java.util.concurrent.atomic.AtomicLong;
import scala.Option;
import scala.collection.immutable.List;

/** A population's injection profile, cut down to our share; it also has the log written out each half second. */
final class SharedProfile implements InjectionProfile {
    private final InjectionProfile inner;

    private SharedProfile(InjectionProfile inner) {
        this.inner = inner;
    }

    /** Our share of a profile, or all of it where the simulation says noShard(). */
    static InjectionProfile of(InjectionProfile profile, String scenario, Share share) {
        return new SharedProfile(share == null ? profile : cut(profile, scenario, share));
    }

    private static InjectionProfile cut(InjectionProfile profile, String scenario, Share share) {
        if (profile instanceof OpenInjectionProfile) {
            long seed = scenario.hashCode();
            List<OpenInjectionStep> steps = steps(profile);
            List<OpenInjectionStep> seeded = Scala.list();
            for (OpenInjectionStep step : Scala.reversed(steps)) {
                // From the last to the first; which is which is the same in all tasks.
                seed = seed * 31 + 17;
                seeded = Scala.cons(OpenShare.seeded(step, seed), seeded);
            }
            OpenInjectionStep ours = new OpenShare(new CompositeOpenInjectionStep(seeded), share);
            return new OpenInjectionProfile(Scala.cons(ours, Scala.list()));
        }
        if (profile instanceof ClosedInjectionProfile) {
            List<ClosedInjectionStep> steps = steps(profile);
            List<ClosedInjectionStep> ours = Scala.list();
            for (ClosedInjectionStep step : Scala.reversed(steps)) {
                ours = Scala.cons(new ClosedShare(step, share), ours);
            }
            return new ClosedInjectionProfile(ours);
        }
        throw new IllegalArgumentException(
            "the injection profile of " + scenario + ", a " + profile.getClass().getName() + ", cannot be shared out");
    }

    @SuppressWarnings("unchecked")
    static <T> List<T> steps(InjectionProfile profile) {
        return (List<T>) Scala.field(profile, "steps");
    }

    @Override
    public Option<Object> totalUserCount() {
        return inner.totalUserCount();
    }

    @Override
    public Workload workload(Scenario scenario, AtomicLong ids, long start, EventLoopGroup loops, StatsEngine stats, Clock clock) {
        LogFlusher.watch(stats, loops);
        return inner.workload(scenario, ids, start, loops, stats, clock);
    }
}
