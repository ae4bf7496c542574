"""Attributes that TMF648 Quote alone has (see engine.attributes)."""

TABLE = """
Authorization: givenDate:time name requestedDate:time signatureRepresentation state
  approver:RelatedParty*
ContactMedium: mediumType preferred:flag characteristic:MediumCharacteristic validFor:TimePeriod
Note: id! author date:time text!
ProductRefOrValue: id href description isBundle:flag isCustomerVisible:flag name orderDate:time
  productSerialNumber startDate:time terminationDate:time agreement:AgreementItemRef*
  billingAccount:BillingAccountRef place:RelatedPlaceRefOrValue* product:ProductRefOrValue*
  productCharacteristic:Characteristic* productOffering:ProductOfferingRef
  productOrderItem:RelatedProductOrderItem* productPrice:ProductPrice*
  productRelationship:ProductRelationship* productSpecification:ProductSpecificationRef
  productTerm:ProductTerm* realizingResource:ResourceRef* realizingService:ServiceRef*
  relatedParty:RelatedParty* status:ProductStatusType @referredType
ProductRelationship: relationshipType! product:ProductRefOrValue!
Quote: id href category description effectiveQuoteCompletionDate:time
  expectedFulfillmentStartDate:time expectedQuoteCompletionDate:time externalId
  instantSyncQuote:flag quoteDate:time requestedQuoteCompletionDate:time version
  agreement:AgreementRef* authorization:Authorization* billingAccount:BillingAccountRef*
  contactMedium:ContactMedium* note:Note*
  productOfferingQualification:ProductOfferingQualificationRef* quoteItem:QuoteItem*!
  quoteTotalPrice:QuotePrice* relatedParty:RelatedParty* state:QuoteStateType validFor:TimePeriod
QuoteItem: id action quantity:whole state appointment:AppointmentRef*
  attachment:AttachmentRefOrValue* note:Note* product:ProductRefOrValue
  productOffering:ProductOfferingRef
  productOfferingQualificationItem:ProductOfferingQualificationItemRef quoteItem:QuoteItem*
  quoteItemAuthorization:Authorization* quoteItemPrice:QuotePrice*
  quoteItemRelationship:QuoteItemRelationship* relatedParty:RelatedParty*
QuoteItemRelationship: id relationshipType
QuotePrice: description name priceType recurringChargePeriod unitOfMeasure price:Price
  priceAlteration:PriceAlteration* productOfferingPrice:ProductOfferingPriceRef
QuoteStateType = rejected | pending | inProgress | cancelled | approved | accepted
RelatedParty: id! href name role @referredType!
"""
