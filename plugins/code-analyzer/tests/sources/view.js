import React, { useState as us, useRef } from 'react';
import * as fs from "node:fs";
import './x.css';
export { a } from './a.js';
const path = require('path');
class A extends B.C { constructor(x = 1, ...rest) { super(); } static async get({a, b}) { return a?.b ?? c; } #p = () => 1; }
const f = async (a, b) => { if (a && b || c) { for (const x of y) {} } else if (z) { console.log(`t ${a}`); } };
function* g() { try { eval("1"); } catch (e) {} switch (x) { case 1: break; case 2: default: } }
export default function () { return <div className="a" onClick={() => f(1)}>Don't {x == 1 ? 'a' : "b"}</div>; }
var o = { m() { new Function("x"); }, n: function () { el.innerHTML = x; } };
const r = /[(]'"/.test(s); // TODO later
arr.map(x => x * 2);
