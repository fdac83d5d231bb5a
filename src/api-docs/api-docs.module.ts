import { Module } from '@nestjs/common';
import { ApiDocsController } from './api-docs.controller.js';
import { ApiDocuments } from './api-documents.service.js';

/** What the router's routes are, for people and programs. Needs `SettingsStore` and `AccessControl` from global modules. */
@Module({ controllers: [ApiDocsController], providers: [ApiDocuments] })
export class ApiDocsModule {}
