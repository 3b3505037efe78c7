package floodgate.gatling;

import io.gatling.core.stats.StatsEngine;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Gatling writes its log when 8 KiB have come together, and loses what is left when it is stopped. This writes it out each half
 * second, and at the end of the process, under the same lock that the writer's actor runs under: its flag `on`.
 */
final class LogFlusher extends Thread {
    private static final AtomicBoolean STARTED = new AtomicBoolean();
    private static final int EVERY_MS = 500;

    private final Object actor;
    private final AtomicBoolean on;
    private final Method schedule;

    private LogFlusher(Object actor) throws ReflectiveOperationException {
        super("floodgate-log-flusher");
        setDaemon(true);
        this.actor = actor;
        this.on = (AtomicBoolean) Scala.field(actor, "on");
        this.schedule = actor.getClass().getDeclaredMethod("async");
        this.schedule.setAccessible(true);
    }

    static void watch(StatsEngine stats) {
        if (!STARTED.compareAndSet(false, true)) {
            return;
        }
        try {
            scala.collection.Iterable<?> writers = (scala.collection.Iterable<?>) Scala.field(stats, "dataWriters");
            for (Object actor : Scala.java(writers)) {
                if (Scala.field(actor, "actor").getClass().getSimpleName().equals("LogFileDataWriter")) {
                    LogFlusher flusher = new LogFlusher(actor);
                    flusher.start();
                    Runtime.getRuntime().addShutdownHook(new Thread(flusher::flush));
                }
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            System.err.println("floodgate: the log comes in pieces of 8 KiB: " + e);
        }
    }

    @Override
    public void run() {
        try {
            while (true) {
                Thread.sleep(EVERY_MS);
                flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void flush() {
        for (int tries = 0; tries < 1_000 && !on.compareAndSet(false, true); tries++) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                return;
            }
            if (tries == 999) {
                return;
            }
        }
        try {
            Object writer = writer();
            if (writer != null) {
                Method flush = writer.getClass().getDeclaredMethod("flush");
                flush.setAccessible(true);
                flush.invoke(writer);
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            // The log is closed: the run is over.
        } finally {
            on.set(false);
            try {
                schedule.invoke(actor);
            } catch (ReflectiveOperationException | RuntimeException e) {
                // The actors are gone: nothing is left to be scheduled.
            }
        }
    }

    /** The actor's state stands only in the closure that is its behaviour. */
    private Object writer() throws ReflectiveOperationException {
        Object behavior = Scala.field(actor, "behavior");
        for (Field field : behavior.getClass().getDeclaredFields()) {
            field.setAccessible(true);
            Object captured = field.get(behavior);
            if (captured != null && captured.getClass().getSimpleName().equals("FileData")) {
                return Scala.field(captured, "writer");
            }
        }
        return null;
    }
}
