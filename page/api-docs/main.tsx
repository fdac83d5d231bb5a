import { render } from 'preact';
import '../look.css';
import './api-docs.css';
import { App } from './app.js';

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
