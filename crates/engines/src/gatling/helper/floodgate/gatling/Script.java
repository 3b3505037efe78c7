package floodgate.gatling;

import io.gatling.app.SimulationClass;
import io.gatling.core.scenario.SimulationParams;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import scala.Option;

/** The user's simulation, unchanged. */
final class Script {
    /** What Java says of a class that was compiled for a newer one, if there is any. */
    private static String newer;

    private Script() {}

    /** Its class: the one that is named, or the only one that the script holds. */
    static String name() throws IOException {
        String named = System.getProperty("floodgate.simulation", "");
        if (!named.isEmpty()) {
            if (!isSimulation(named)) {
                throw new IllegalArgumentException(
                    named + " is not on the class path, or no public class that extends Gatling's Simulation");
            }
            return named;
        }
        TreeSet<String> found = new TreeSet<>();
        for (String place : System.getProperty("floodgate.script", "").split(File.pathSeparator)) {
            for (String entry : entries(Path.of(place))) {
                if (entry.endsWith(".class") && !entry.startsWith("META-INF/") && !entry.startsWith("io/gatling/")) {
                    String name = entry.substring(0, entry.length() - ".class".length()).replace('/', '.');
                    if (isSimulation(name)) {
                        found.add(name);
                    }
                }
            }
        }
        if (found.isEmpty() && newer != null) {
            throw new IllegalArgumentException(newer);
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("the script holds no simulation: no public class extends Gatling's Simulation");
        }
        if (found.size() > 1) {
            throw new IllegalArgumentException(
                "the script holds several simulations, name one as the parameter simulation: " + String.join(", ", found));
        }
        return found.first();
    }

    private static List<String> entries(Path place) throws IOException {
        if (Files.isDirectory(place)) {
            try (Stream<Path> files = Files.walk(place)) {
                return files.filter(Files::isRegularFile)
                    .map(file -> place.relativize(file).toString().replace(File.separatorChar, '/'))
                    .collect(Collectors.toList());
            }
        }
        List<String> names = new ArrayList<>();
        if (Files.isRegularFile(place)) {
            try (JarFile jar = new JarFile(place.toFile())) {
                jar.stream().forEach(entry -> names.add(entry.getName()));
            }
        }
        return names;
    }

    private static boolean isSimulation(String name) {
        try {
            Class<?> type = Class.forName(name, false, Script.class.getClassLoader());
            type.getConstructor();
            return SimulationClass.fromClass(type).isDefined();
        } catch (UnsupportedClassVersionError e) {
            // A jar may have such classes beside those that it needs here: it counts only if no simulation is found.
            newer = e.getMessage();
            return false;
        } catch (ReflectiveOperationException | LinkageError e) {
            return false;
        }
    }

    /** What its constructor set up. */
    static SimulationParams params(String name) throws ReflectiveOperationException {
        Class<?> type = Class.forName(name, true, Script.class.getClassLoader());
        Option<SimulationClass> simulation = SimulationClass.fromClass(type);
        if (simulation.isEmpty()) {
            throw new IllegalArgumentException(name + " is no simulation: it does not extend Gatling's Simulation");
        }
        for (Method method : simulation.get().getClass().getMethods()) {
            if (method.getName().equals("params")) {
                // Up to Gatling 3.12 it takes the configuration.
                Object[] given = method.getParameterCount() == 0
                    ? new Object[0]
                    : new Object[] {io.gatling.core.Predef$.MODULE$._configuration()};
                try {
                    return (SimulationParams) method.invoke(simulation.get(), given);
                } catch (InvocationTargetException e) {
                    // What the simulation's constructor threw is the user's, and says more.
                    throw e.getCause() instanceof RuntimeException
                        ? (RuntimeException) e.getCause()
                        : new IllegalStateException(e.getCause());
                }
            }
        }
        throw new IllegalStateException("this version of Gatling has no SimulationClass.params");
    }
}
