/* Buying, as a model: the order server decides, the catalog obeys, nobody acts on a clock alone.

   One step is one durable transaction, or one message handed over. What is sent stays in the network for ever and may
   be delivered at any later time, any number of times, or never: loss, delay and doubling have no bound. A crash
   between a commit and the message that follows it is a message that is never delivered. Deadlines and the sweeper's
   T are "at any time". A batch is its orders one after the other. The feed and a restore are left out.
   explore.py writes scenario.h: how many keys and books, who asks for what, which mutant. Where MUTANT is NONE, what
   names a mutant is as if it were not there. */
#include "scenario.h"

mtype = { held, refused, released, settled, returned, hash_mismatch, unknown_book, /* what the catalog answers */
          confirmed, out_of_stock, declined, cancelled, key_reused,                /* what the buyer is answered */
          waiting, answering }                                                     /* where a request stands */
#define ABSENT 0
/* A body (1 or 2) stands for the lines and for their hash; in a set of bodies it is its own bit. */
#define TOLD(k, b) told[(k) * 2 + (b) - 1]
#define FINAL(k, b) (TOLD(k, b) != ABSENT && TOLD(k, b) != key_reused)
#define SEEN(s, k) seen_open[(s) * KEYS + (k)]
#define SAME(body, other) ((body) == (other) || MUTANT == HASH_NOT_COMPARED)

/* The catalog's database. */
short stock[BOOKS]; bool withdrawn[BOOKS]; byte taken_in[BOOKS]; byte taken_out[BOOKS];
mtype hold[KEYS]; byte hold_body[KEYS];
/* The order server's database: decisions and cancellations are inserted once and never changed. */
mtype decision[KEYS]; byte decision_body[KEYS]; bool cancellation[KEYS]; bool return_marked[KEYS]; bool stuck;
/* What a crash of the order server forgets: where its requests stand, which open holds a sweeper has seen. */
mtype at[REQUESTS]; mtype reply[REQUESTS]; byte seen_open[SWEEPERS * KEYS];
/* The network: the bodies that were sent. */
#define SEND(what, k, b) what##_sent[k] = what##_sent[k] | b
byte hold_sent[KEYS]; byte settle_sent[KEYS]; byte release_sent[KEYS]; bool return_sent[KEYS]; bool return_done[KEYS];
/* Witnesses: the final answers that were given, and whose release was carried out. */
mtype told[KEYS * 2]; bool told_otherwise; bool release_done[KEYS];
byte stock_read; /* by the mutant READ_THEN_WRITE */
SCRATCH byte n, key, who, enough, known; SCRATCH mtype outcome;

/* ---- The catalog: each inline is one transaction. ---- */
#define SHELF(n) (MUTANT == READ_THEN_WRITE -> stock_read : stock[n])
#define IS_SOLD(k, b, n) (!withdrawn[n] || COPIES(k, b, n) == 0)
#define MAY_TAKE(k, b, n) (SHELF(n) >= COPIES(k, b, n) || MUTANT == STOCK_NOT_CHECKED)
#define TAKES(k, b, n) (enough || (MUTANT == SHORT_ORDER_TAKES_SOME && MAY_TAKE(k, b, n)) -> COPIES(k, b, n) : 0)
#define GETS_BACK(k, n) (withdrawn[n] && MUTANT == NOTHING_BACK_ONCE_WITHDRAWN -> 0 : COPIES(k, hold_body[k], n))
inline put_back(k) { for (n : 0 .. BOOKS - 1) { stock[n] = stock[n] + GETS_BACK(k, n) } }

inline do_hold(k, b) { /* step 3; the answer is left in outcome */
    enough = true; known = true;
    for (n : 0 .. BOOKS - 1) { known = known && IS_SOLD(k, b, n); enough = enough && MAY_TAKE(k, b, n) }
    if
    :: hold[k] != ABSENT && !(MUTANT == HOLD_NOT_IDEMPOTENT && hold[k] == held && enough) ->
        outcome = (SAME(hold_body[k], b) -> hold[k] : hash_mismatch)
    :: else -> if
        :: !known -> outcome = unknown_book
        :: else ->
            outcome = (enough -> held : refused);
            for (n : 0 .. BOOKS - 1) { stock[n] = SHELF(n) - TAKES(k, b, n) }
            if :: enough || MUTANT != REFUSAL_NOT_KEPT -> hold[k] = outcome; hold_body[k] = b :: else fi
        fi
    fi;
    printf("catalog: hold for order %d, body %d: %e\n", k, b, outcome)
}

inline do_settle(k, b) { /* step 6 */
    printf("catalog: settle order %d, body %d\n", k, b);
    if
    :: hold[k] == held && SAME(hold_body[k], b) -> hold[k] = settled
    :: (hold[k] == settled || hold[k] == returned) && SAME(hold_body[k], b) ->
        if :: MUTANT == SETTLE_REVIVES_RETURNED -> hold[k] = settled :: else fi
    :: else -> stuck = true
    fi
}

inline do_release(k, b) { /* step 6; an unknown id leaves a tombstone */
    printf("catalog: release order %d, body %d\n", k, b);
    if
    :: hold[k] == ABSENT -> if :: MUTANT != NO_TOMBSTONE -> hold[k] = released; hold_body[k] = b :: else fi
    :: hold[k] == held && SAME(hold_body[k], b) -> hold[k] = released; put_back(k)
    :: hold[k] == released && SAME(hold_body[k], b) -> if :: MUTANT == RELEASE_NOT_IDEMPOTENT -> put_back(k) :: else fi
    :: hold[k] == refused && SAME(hold_body[k], b)
    :: else -> stuck = true
    fi;
    release_done[k] = release_done[k] || hold[k] == ABSENT || hold[k] == released
}

inline do_return(k) { /* step 8 */
    printf("catalog: return of order %d\n", k);
    if
    :: hold[k] == held || hold[k] == settled -> hold[k] = returned; put_back(k)
    :: hold[k] == returned -> if :: MUTANT == RETURN_NOT_IDEMPOTENT -> put_back(k) :: else fi
    :: else -> stuck = true
    fi;
    return_done[k] = true
}

/* ---- The order server. ---- */
inline decide(k, b, what) { /* step 5: inserted once */
    if
    :: decision[k] == ABSENT || MUTANT == DECISION_OVERWRITTEN ->
        decision[k] = what; decision_body[k] = b; printf("order: decides order %d, body %d: %e\n", k, b, what)
    :: else -> printf("order: finds order %d decided: %e\n", k, decision[k])
    fi
}

inline finish(k, b) { /* step 6: by the row, whatever was proposed */
    if :: decision[k] == confirmed -> SEND(settle, k, b) :: else -> SEND(release, k, b) fi
}

inline tell(k, b, what) {
    told_otherwise = told_otherwise || (TOLD(k, b) != what && (MAY_BE_STUCK -> FINAL(k, b) : TOLD(k, b) != ABSENT));
    TOLD(k, b) = what; printf("order: tells the buyer of order %d, body %d: %e\n", k, b, what)
}

inline answer_from_row(k, b) { /* step 2; after a hash-mismatch there may be no row */
    outcome = (decision[k] != ABSENT && SAME(decision_body[k], b) -> decision[k] : key_reused); tell(k, b, outcome)
}

#define FOLLOWS_FROM(answer) ((answer) == refused -> out_of_stock : ((answer) == released -> cancelled : confirmed))
inline propose(r, k, b, what) { /* step 5, and step 6 is sent */
    decide(k, b, what); finish(k, decision_body[k]); at[r] = answering;
    reply[r] = (MUTANT == ANSWER_NOT_FROM_ROW -> what : ABSENT)
}

inline sweep_one(k, b) { /* step 7: the hold of order k, for body b, was seen open */
    decide(k, b, cancelled);
    if
    :: SAME(decision_body[k], b) && MUTANT != SWEEPER_IGNORES_DECISION -> finish(k, b)
    :: else -> SEND(release, k, b); stuck = stuck || !SAME(decision_body[k], b)
    fi
}

/* ---- When faults have ended, all that was in flight being lost. ---- */
#define TO_BE_SWEPT(k) (hold[k] == held && MUTANT != NO_SWEEP)
#define TO_BE_RETURNED(k) (cancellation[k] && !return_marked[k] && MUTANT != RETURN_NOT_REPEATED)
inline recover(k) { /* one sweep, and the return that has no mark */
    settle_sent[k] = 0; release_sent[k] = 0;
    if :: TO_BE_SWEPT(k) -> sweep_one(k, hold_body[k]) :: else fi;
    if :: settle_sent[k] != 0 -> do_settle(k, settle_sent[k]) :: else fi;
    if :: release_sent[k] != 0 -> do_release(k, release_sent[k]) :: else fi;
    if :: TO_BE_RETURNED(k) -> do_return(k); return_marked[k] = true :: else fi
}

/* ---- What must hold. The copies of a hold that is HELD or SETTLED are gone from the shelf, and 1 says: once. ---- */
#define GONE(k, n) ((hold[k] == held || hold[k] == settled) * COPIES(k, hold_body[k], n))
#define INVARIANT_1(n) (stock[n] >= 0 && stock[n] + SUM_OVER_KEYS(GONE, n) == INITIAL(n) + taken_in[n] - taken_out[n])
#define INVARIANT_2(k) ((decision[k] == confirmed || !cancellation[k]) && (decision[k] != confirmed || \
                        (hold_body[k] == decision_body[k] && \
                         (hold[k] == held || hold[k] == settled || (hold[k] == returned && cancellation[k])))))
#define INVARIANT_3(k) ((hold[k] != settled || decision[k] == confirmed) && (hold[k] != held || !release_done[k]))
#define INVARIANT_4(k) (!told_otherwise && !(FINAL(k, 1) && FINAL(k, 2)))
#define KEPT(k, b) (TOLD(k, b) != confirmed || (decision[k] == confirmed && decision_body[k] == b))
#define INVARIANT_5(k) (KEPT(k, 1) && KEPT(k, 2))
#define INVARIANT_8(k) (hold[k] != held && (!cancellation[k] || (hold[k] == returned && return_marked[k])) && \
                        (decision[k] != confirmed || cancellation[k] || hold[k] == settled))

/* ---- What runs: each option is one step, and any of them may come next. ---- */
proctype Request(byte r, k, b) { /* the buyer asks, and asks again */
    do
    :: d_step { at[r] == ABSENT && decision[k] != ABSENT -> answer_from_row(k, b) }
    :: d_step { at[r] == ABSENT && decision[k] == ABSENT ->
        if :: MUTANT == DECISION_BEFORE_HOLD -> propose(r, k, b, confirmed) :: else -> at[r] = waiting fi;
        SEND(hold, k, b); printf("order: asks for a hold for order %d, body %d\n", k, b) }
    :: d_step { at[r] == waiting -> do_hold(k, b); reply[r] = outcome }
    :: d_step { at[r] == waiting && reply[r] != ABSENT && reply[r] != hash_mismatch && reply[r] != unknown_book ->
        outcome = FOLLOWS_FROM(reply[r]); propose(r, k, b, outcome) }
    :: d_step { DECLINES && at[r] == waiting && reply[r] == held -> propose(r, k, b, declined) } /* or another price */
    :: d_step { at[r] == waiting && reply[r] == hash_mismatch -> reply[r] = ABSENT; at[r] = answering }
    :: d_step { at[r] == answering -> at[r] = ABSENT;
        if :: reply[r] == ABSENT -> answer_from_row(k, b) :: else -> tell(k, b, reply[r]); reply[r] = ABSENT fi }
    :: d_step { at[r] != ABSENT -> at[r] = ABSENT; reply[r] = ABSENT } /* 404, or 503: its time has run out */
    od
}

proctype Catalog(byte k, b) { /* what arrives late or again; the answer reaches nobody */
    do
    :: d_step { hold_sent[k] & b -> do_hold(k, b) }
    :: d_step { settle_sent[k] & b -> do_settle(k, b) }
    :: d_step { release_sent[k] & b -> do_release(k, b) }
    :: d_step { MUTANT == CATALOG_EXPIRES_HOLDS && hold[k] == held ->
        hold[k] = released; put_back(k); printf("catalog: the hold of order %d expires\n", k) }
    od
}

proctype Sweeper(byte s, k) { /* its list of open holds may be as old as it likes */
    do
    :: d_step { hold[k] == held && SEEN(s, k) == 0 ->
        SEEN(s, k) = hold_body[k]; printf("sweeper %d: sees order %d open\n", s, k) }
    :: d_step { SEEN(s, k) != 0 ->
        printf("sweeper %d: acts on order %d\n", s, k); sweep_one(k, SEEN(s, k)); SEEN(s, k) = 0 }
    od
}

proctype Cancellation(byte k) { /* step 8 */
    do
    :: d_step { !cancellation[k] && (decision[k] == confirmed || MUTANT == CANCEL_UNCHECKED) ->
        cancellation[k] = true; return_marked[k] = (MUTANT == MARKED_TOO_SOON -> true : false);
        return_sent[k] = true; printf("order: cancels order %d\n", k) }
    :: d_step { return_sent[k] -> do_return(k) }
    :: d_step { return_done[k] && !return_marked[k] ->
        return_marked[k] = true; printf("order: knows that order %d is returned\n", k) }
    od
}

inline forget() {
    for (who : 0 .. REQUESTS - 1) { at[who] = ABSENT; reply[who] = ABSENT }
    for (who : 0 .. SWEEPERS * KEYS - 1) { seen_open[who] = 0 }
    who = 0 /* Spin wants a d_step to end in a plain statement */
}

inline start_afresh() {
    for (n : 0 .. BOOKS - 1) { stock[n] = INITIAL(n); withdrawn[n] = false; taken_in[n] = 0; taken_out[n] = 0 }
    for (key : 0 .. KEYS - 1) {
        hold[key] = ABSENT; hold_body[key] = 0; decision[key] = ABSENT; decision_body[key] = 0;
        hold_sent[key] = 0; settle_sent[key] = 0; release_sent[key] = 0; return_sent[key] = false;
        cancellation[key] = false; return_done[key] = false; return_marked[key] = false;
        release_done[key] = false; TOLD(key, 1) = ABSENT; TOLD(key, 2) = ABSENT
    }
    forget(); stuck = false; told_otherwise = false; stock_read = INITIAL(0)
}

#define MUST(condition, promise) d_step { !(condition) -> printf(promise); assert(false) }
proctype World() {
    do
    :: d_step { true -> printf("order: killed, and started again\n"); forget() }
    :: d_step { true -> printf("catalog: killed, and started again\n");
        for (who : 0 .. REQUESTS - 1) { if :: at[who] == waiting -> reply[who] = ABSENT :: else fi }; who = 0 }
    :: d_step { taken_in[0] < TAKEN_IN && !withdrawn[0] -> stock[0]++; taken_in[0]++; printf("staff: a copy more\n") }
    :: d_step { taken_out[0] < TAKEN_OUT && stock[0] > 0 -> stock[0]--; taken_out[0]++; printf("staff: a copy less\n") }
    :: d_step { WITHDRAWS && !withdrawn[0] -> withdrawn[0] = true; printf("staff: the book is withdrawn\n") }
    :: d_step { GIVEN_UP && decision[0] == ABSENT -> decide(0, 1, cancelled); finish(0, 1) } /* by hand, or a restore */
    :: d_step { MUTANT == READ_THEN_WRITE -> stock_read = stock[0]; printf("catalog: reads the stock\n") }
    :: MUST(EACH_BOOK(INVARIANT_1), "violated: 1, stock + held + sold\n")
    :: MUST(EACH_KEY(INVARIANT_2), "violated: 2, one decrement, one return\n")
    :: MUST(EACH_KEY(INVARIANT_3), "violated: 3, no decrement without an order, no hold after its release\n")
    :: MUST(EACH_KEY(INVARIANT_4), "violated: 4, one key, one final answer\n")
    :: MUST(EACH_KEY(INVARIANT_5), "violated: 5, no confirmation is lost\n")
    :: MUST(!stuck || MAY_BE_STUCK, "violated: no order is stuck\n")
    :: d_step { true -> printf("faults end, and what is in flight is lost\n");
        for (key : 0 .. KEYS - 1) { recover(key) }
        if :: EACH_KEY(INVARIANT_8) :: else -> printf("violated: 8, everything settles\n"); assert(false) fi;
        start_afresh() } /* leads to the first state, which is known: this adds no states, it only looks ahead */
    od
}

init { d_step { start_afresh() }; atomic { START } }
