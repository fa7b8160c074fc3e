//! One test for each kind of operator, type or expression that is refused, by its exact words.

use super::{BODY, MORE, refused};

#[test]
fn a_float_operator_is_named_with_its_function_and_its_offset() {
    refused(
        &[(BODY, "(drop (f64.add (f64.const 1) (f64.const 2)))")],
        None,
        &["function 5 `deliver` at offset 0x118: float operator `f64.const` (and 2 more like it); engines \
         differ in the bits of a NaN: use integers or ratios, and format no floats"],
    );
}

#[test]
fn a_function_without_an_export_is_named_from_the_name_section() {
    refused(
        &[(MORE, "(func $ratio (drop (i32.trunc_sat_f32_s (f32.const 1))))")],
        None,
        &["function 10 `ratio` at offset 0x13d: float operator `f32.const` (and 1 more like it); engines \
         differ in the bits of a NaN: use integers or ratios, and format no floats"],
    );
}

#[test]
fn a_function_without_any_name_has_its_index() {
    refused(
        &[(MORE, "(func (drop (f32.load (i32.const 0))))")],
        None,
        &["function 10 at offset 0x13f: float operator `f32.load`; engines differ in the bits of a NaN: use \
         integers or ratios, and format no floats"],
    );
}

#[test]
fn floats_in_types_and_locals_are_found_without_an_operator() {
    refused(
        &[(MORE, "(func $half (param f32)) (func $idle (local f64))")],
        None,
        &[
            "function 10 `half`: a float in its type (f32) -> (); pass integers",
            "function 11 `idle`: a float in a local of type f64; use integers",
        ],
    );
}

#[test]
fn a_block_that_leaves_a_float_is_found_in_dead_code() {
    refused(
        &[(BODY, "unreachable (block (result f64) unreachable) drop")],
        None,
        &["function 5 `deliver` at offset 0x119: float operator `block`; engines differ in the bits of a NaN: \
         use integers or ratios, and format no floats"],
    );
}

#[test]
fn a_simd_operator_is_named() {
    refused(
        &[(
            BODY,
            "(drop (i32x4.extract_lane 0 (i32x4.add (v128.const i32x4 1 2 3 4)
             (v128.const i32x4 1 2 3 4))))",
        )],
        None,
        &["function 5 `deliver` at offset 0x118: SIMD operator `v128.const` (and 3 more like it); build \
         without -C target-feature=+simd128"],
    );
}

#[test]
fn an_atomic_operator_is_named() {
    refused(
        &[(BODY, "(drop (i32.atomic.rmw8.add_u (i32.const 0) (i32.const 1)))")],
        None,
        &["function 5 `deliver` at offset 0x11c: operator for threads `i32.atomic.rmw8.add_u`; build without \
         -C target-feature=+atomics"],
    );
}

#[test]
fn a_tail_call_is_named() {
    refused(
        &[(BODY, "return_call $tick")],
        None,
        &["function 5 `deliver` at offset 0x118: `return_call` of the proposal tail-call; not every engine \
         runs it alike: turn that feature of the compiler off"],
    );
}

#[test]
fn an_exception_is_refused() {
    refused(
        &[(MORE, "(tag $oops)")],
        None,
        &["offset 0x6f: beyond what every engine runs alike (exceptions proposal not enabled); turn that \
         feature of the compiler off"],
    );
}

#[test]
fn a_constant_expression_that_computes_is_refused() {
    refused(
        &[(MORE, "(global i32 (i32.add (i32.const 1) (i32.const 2)))")],
        None,
        &["offset 0x84: beyond what every engine runs alike (constant expression required: non-constant \
         operator: i32.add); turn that feature of the compiler off"],
    );
}

#[test]
fn memory_that_grows_is_refused_with_the_function_that_grows_it() {
    refused(
        &[(BODY, "(drop (memory.grow (i32.const 1)))")],
        None,
        &["function 5 `deliver` at offset 0x11a: `memory.grow`, and memory must keep its size; allocate from a \
         fixed arena (raftbox-abi brings one for Rust, as its global allocator)"],
    );
}

#[test]
fn operators_that_change_a_table_are_refused() {
    refused(
        &[
            (
                BODY,
                "(table.set (i32.const 0) (ref.null func)) (table.fill (i32.const 0)
             (ref.null func) (i32.const 1)) (drop (table.grow (ref.null func) (i32.const 1)))",
            ),
            (
                MORE,
                "(elem $calls func $tick) (func $swap (table.copy (i32.const 0) (i32.const 0)
             (i32.const 1))) (func $fill (table.init $calls (i32.const 0) (i32.const 0)
             (i32.const 1))) (func $forget (elem.drop $calls))",
            ),
        ],
        None,
        &[
            "function 5 `deliver` at offset 0x123: `table.set`, and tables must not change (and 2 more like it); \
         a snapshot holds no table: call through a constant one",
            "function 10 `swap` at offset 0x160: `table.copy`, and tables must not change; a snapshot holds no \
         table: call through a constant one",
            "function 11 `fill` at offset 0x16d: `table.init`, and tables must not change; a snapshot holds no \
         table: call through a constant one",
            "function 12 `forget` at offset 0x174: `elem.drop`, and tables must not change; a snapshot holds no \
         table: call through a constant one",
        ],
    );
}

#[test]
fn operators_that_use_segments_up_are_refused() {
    refused(
        &[(
            MORE,
            r#"(data $text "text") (func $load (memory.init $text (i32.const 0) (i32.const 0)
             (i32.const 4))) (func $forget (data.drop $text))"#,
        )],
        None,
        &[
            "function 10 `load` at offset 0x147: `memory.init`, and segments must not be used up; a snapshot \
         holds no segment: link with active ones, without threads",
            "function 11 `forget` at offset 0x14e: `data.drop`, and segments must not be used up; a snapshot \
         holds no segment: link with active ones, without threads",
        ],
    );
}
