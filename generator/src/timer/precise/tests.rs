use super::super::{Deadline, StopSignal, until};
use super::*;
use tokio::runtime::{Builder, LocalOptions};

fn run<F: Future>(body: impl FnOnce(Rc<Timer>) -> F) -> F::Output {
    let runtime = Builder::new_current_thread()
        .enable_io()
        .build_local(LocalOptions::default())
        .unwrap();
    runtime.block_on(async {
        let timer = Timer::new(Clock::start()).unwrap();
        tokio::task::spawn_local(Rc::clone(&timer).drive());
        body(timer).await
    })
}

#[test]
fn sleepers_wake_in_the_order_of_their_times_and_never_early() {
    let order = run(|timer| async move {
        let order = Rc::new(RefCell::new(Vec::new()));
        let base = timer.clock().now();
        let tasks: Vec<_> = [3_000_000_u64, 1_000_000, 2_000_000, 1_500_000]
            .into_iter()
            .map(|after| {
                let (timer, order) = (Rc::clone(&timer), Rc::clone(&order));
                tokio::task::spawn_local(async move {
                    timer.sleep_until(base + after).await;
                    assert!(timer.clock().now() >= base + after);
                    order.borrow_mut().push(after);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        order.take()
    });
    assert_eq!(order, [1_000_000, 1_500_000, 2_000_000, 3_000_000]);
}

#[test]
fn a_deadline_after_another_sets_the_kernels_timer_once() {
    let settings = run(|timer| async move {
        let now = timer.clock().now();
        // What is always there beside the starts: the end of the scenario.
        let mut end = Box::pin(timer.sleep_until(now + 3_600_000_000_000));
        std::future::poll_fn(|cx| {
            assert!(end.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        // A task, as executors are: the future that the runtime blocks on is polled after the tasks.
        let sleeper = Rc::clone(&timer);
        let starts = tokio::task::spawn_local(async move {
            for start in 1..=20 {
                sleeper.sleep_until(now + start * 1_000_000).await;
            }
        });
        starts.await.unwrap();
        timer.state.borrow().settings
    });
    // The end, the first start, and no more than one for each that has passed.
    assert!(settings <= 22, "{settings}");
}

#[test]
fn the_lead_follows_the_lateness_within_its_bounds() {
    let mut state = State::default();
    let mut woken = |late: Nanos, times: usize| {
        for _ in 0..times {
            state.armed = Some(Armed {
                at: 5_000_000,
                lead: 0,
            });
            assert_eq!(state.woken(5_000_000 + late), 0);
        }
        state.lead(1_000_000_000)
    };
    assert_eq!(woken(0, 1), 0);
    // lateness that hardly varies needs little more than itself
    let lead = woken(20_000, 50);
    assert!((20_000..=22_000).contains(&lead), "{lead}");
    woken(10_000, 1);
    let lead = woken(30_000, 1);
    assert!((22_000..=40_000).contains(&lead), "{lead}");
    // a second of lateness is a host that was busy, not a core that slept
    assert_eq!(woken(1_000_000_000, 100), MOST_LEAD);
}

#[test]
fn deadlines_that_are_close_have_no_lead() {
    let after = |gap: Nanos| {
        let mut state = State {
            lateness: MOST_LEAD,
            ..State::default()
        };
        (1..=100).for_each(|n| state.pass(n * gap));
        let next = 101 * gap;
        // one that is far away may have it whatever came before
        assert_eq!(state.lead(next + 1_000_000_000), MOST_LEAD);
        state.lead(next)
    };
    assert_eq!(after(LEAST_GAP + 1_000), MOST_LEAD);
    assert_eq!(after(LEAST_GAP - 1_000), 0);
}

#[test]
fn who_gives_way_comes_after_all_who_are_ready() {
    let order = run(|_| async {
        let order = Rc::new(RefCell::new(Vec::new()));
        let tasks: Vec<_> = (0..3)
            .map(|task| {
                let order = Rc::clone(&order);
                tokio::task::spawn_local(async move {
                    order.borrow_mut().push(("read", task));
                    give_way().await;
                    order.borrow_mut().push(("write", task));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        order.take()
    });
    let (reads, writes) = order.split_at(3);
    assert!(reads.iter().all(|(what, _)| *what == "read"), "{order:?}");
    assert!(writes.iter().all(|(what, _)| *what == "write"), "{order:?}");
}

#[test]
fn a_dropped_sleep_leaves_no_entry_and_its_slot_can_be_used_again() {
    run(|timer| async move {
        let soon = timer.clock().now() + 2_000_000;
        let mut sleep = Box::pin(timer.sleep_until(soon));
        std::future::poll_fn(|cx| {
            assert!(sleep.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(sleep);
        assert!(timer.state.borrow().entries.is_empty());
        let later = soon + 2_000_000;
        timer.sleep_until(later).await;
        assert!(
            timer.clock().now() >= later,
            "the first sleeper's expiry must not wake the second"
        );
    });
}

#[test]
fn a_deadline_cuts_a_future_off_and_a_stop_does_so_at_once() {
    run(|timer| async move {
        let stop = Rc::new(StopSignal::default());
        let mut deadline = Deadline::new(&timer, timer.clock().now() + 1_000_000, &stop);
        assert_eq!(until(&mut deadline, std::future::ready(7)).await, Some(7));
        assert_eq!(
            until(&mut deadline, std::future::pending::<()>()).await,
            None
        );

        let mut far = Deadline::new(&timer, timer.clock().now() + 3_600_000_000_000, &stop);
        let giver = Rc::clone(&stop);
        tokio::task::spawn_local(async move { giver.give() });
        assert_eq!(until(&mut far, std::future::pending::<()>()).await, None);
    });
}
