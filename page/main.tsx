import { render } from 'preact';
import './look.css';
import './page.css';
import { App } from './app.js';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
