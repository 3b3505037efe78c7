package floodgate.gatling;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collections;
import scala.collection.immutable.List;
import scala.collection.immutable.List$;

/** What is long-winded in Java. */
final class Scala {
    private Scala() {}

    static <T> List<T> list() {
        return List$.MODULE$.empty();
    }

    static <T> List<T> cons(T head, List<T> tail) {
        return new scala.collection.immutable.$colon$colon<>(head, tail);
    }

    static <T> java.util.List<T> java(scala.collection.Iterable<T> all) {
        java.util.List<T> list = new ArrayList<>();
        scala.collection.Iterator<T> each = all.iterator();
        while (each.hasNext()) {
            list.add(each.next());
        }
        return list;
    }

    static <T> java.util.List<T> reversed(scala.collection.Iterable<T> all) {
        java.util.List<T> list = java(all);
        Collections.reverse(list);
        return list;
    }

    static Object field(Object of, String name) {
        try {
            Field field = of.getClass().getDeclaredField(name);
            field.setAccessible(true);
            return field.get(of);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this version of Gatling has no " + of.getClass().getName() + "." + name, e);
        }
    }
}
