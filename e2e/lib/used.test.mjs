import assert from "node:assert/strict";
import test from "node:test";
import { onlyUsed } from "../../web/used.mjs";

const kept = (css, ...words) => onlyUsed(css, new Set(words));

test("a rule stays when all classes of one of its selectors are used", () => {
  assert.equal(kept(".a,.b .c,.b.d{x:1}.b{y:2}", "a", "b", "d"), ".a,.b.d{x:1}.b{y:2}");
  assert.equal(kept("table,:root,[data-theme=dark] .a{x:1}"), "table,:root{x:1}");
  assert.equal(kept(".w-1\\/2{x:1}.w-1{y:2}", "w-1"), ".w-1{y:2}");
});

test("what stands in brackets does not decide", () => {
  assert.equal(kept(".a:not(.b,.c){x:1}:is(.b,.c) .a{y:2}", "a"), ".a:not(.b,.c){x:1}:is(.b,.c) .a{y:2}");
  assert.equal(kept("[href$='.b,.c']{x:1}"), "[href$='.b,.c']{x:1}");
});

test("blocks of rules lose their rules, other blocks stay whole", () => {
  assert.equal(kept("@media print{.a{x:1}.b{y:2}}@media screen{.b{z:3}}", "a"), "@media print{.a{x:1}}");
  assert.equal(kept("@keyframes b{to{x:1}}@font-face{src:url(a.b)}"), "@keyframes b{to{x:1}}@font-face{src:url(a.b)}");
  assert.equal(kept('/*! .b{ */.a{content:"}"}.b{x:1}', "a"), '/*! .b{ */.a{content:"}"}');
});
