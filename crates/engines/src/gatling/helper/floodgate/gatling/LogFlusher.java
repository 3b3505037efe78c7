package floodgate.gatling;

import io.gatling.core.stats.StatsEngine;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Gatling writes its log when 8 KiB have come together, and loses what is left when it is stopped. This writes it out each half
 * second, under the same lock that the writer's actor runs under: its flag `on`. When the process is asked to end it first halts all
 * that sends and receives, so that what the target got is in the log, but for requests under way.
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

    static void watch(StatsEngine stats, EventLoopGroup loops) {
        if (!STARTED.compareAndSet(false, true)) {
            return;
        }
        try {
            scala.collection.Iterable<?> writers = (scala.collection.Iterable<?>) Scala.field(stats, "dataWriters");
            for (Object actor : Scala.java(writers)) {
                if (Scala.field(actor, "actor").getClass().getSimpleName().equals("LogFileDataWriter")) {
                    LogFlusher flusher = new LogFlusher(actor);
                    flusher.start();
                    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                        halt(loops);
                        flusher.drain();
                        flusher.flush();
                    }));
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

    /** Keeps the threads that send and receive from doing so. */
    private static void halt(EventLoopGroup loops) {
        List<CountDownLatch> halted = new ArrayList<>();
        for (EventExecutor loop : loops) {
            CountDownLatch latch = new CountDownLatch(1);
            try {
                loop.execute(() -> {
                    latch.countDown();
                    while (true) {
                        java.util.concurrent.locks.LockSupport.park();
                    }
                });
                halted.add(latch);
            } catch (RejectedExecutionException e) {
                // It has ended: the run is over.
            }
        }
        try {
            for (CountDownLatch latch : halted) {
                latch.await(1, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until the writer has taken what has been handed to it, two seconds at most. */
    private void drain() {
        Object box = Scala.field(actor, "mbox");
        try {
            for (int tries = 0; tries < 200 && box instanceof Queue && !((Queue<?>) box).isEmpty(); tries++) {
                Thread.sleep(10);
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
